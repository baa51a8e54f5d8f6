/** A task of the tiny preset, for tests. */
import { PRESETS } from "../../protocol/parameters.ts";
import { BARRIER } from "../../protocol/task.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import { word } from "./random.ts";

/** Committee of 4 with threshold 2; at least three clients; one chunk. What its keys are, a test says. */
export const TINY_TASK: Omit<TaskParameters, "keysHash"> = {
  taskCid: word("task"),
  genesisCid: word("genesis"),
  genesisDigest: word("genesis digest"),
  coordinateBits: 8,
  dimension: PRESETS.tiny.kinds[0]!.coordinates,
  normBoundSquared: 1_000_000n,
  committeeSize: 4,
  threshold: 2,
  quorum: 3,
  minClients: 3,
  minHonest: 2,
  maxCorrupt: 1,
  uniformWeights: false,
  maxWeight: 511,
  ...BARRIER,
  openRegistration: false,
  bondWei: 0n,
  maxRefusals: 3,
  keyWindowSeconds: 60,
  collectSeconds: 600,
  attestSeconds: 300,
  aggregateSeconds: 900,
  maxRounds: 0,
  maxRoundsPerClient: 0,
  privacyCostPerRound: 0n,
  privacyBudget: 0n,
  chunkKinds: [0],
};
