/** A task's snapshot, for tests of what shows one. */
import type { TaskSnapshot } from "../../indexer/api/schema.ts";

const account = (digit: string): string => `0x${digit.repeat(40)}`;

export const SNAPSHOT: TaskSnapshot = {
  name: "a task",
  description: "for tests",
  taskCid: "bafybeiabc",
  operator: account("0"),
  dimension: 650,
  model: "dense 10",
  round: {
    number: 3,
    phase: "Collecting",
    deadline: 1_700_100_060,
    submitted: 1,
    expected: 3,
    attested: 0,
    released: 0,
  },
  latestBlock: { number: 60, time: 1_700_099_990 },
  finalBlock: 50,
  secondsPerBlock: 12,
  finalisedRounds: 2,
  maxRounds: 5,
  clients: 3,
  latestModel: { round: 2, cid: "bafybeidef" },
  committee: { seats: 4, threshold: 2, quorum: 3, members: ["1", "2", "3", "4"].map(account) },
  limits: { minClients: 3, minHonest: 2, maxCorrupt: 1, openRegistration: false, bufferGoal: 0, maxStaleness: 0 },
  windows: { collect: 60, attest: 60, aggregate: 60 },
  influence: { corrupt: 1, honest: 2, outvoted: false, says: "1 corrupt client can move a round's sum by 1" },
  privacy: null,
  keys: { state: "development", contributors: [], says: "development keys" },
  changes: [],
  warnings: [],
  gateways: [],
  parties: [{ party: "aggregator", state: "waiting", reason: "2 of 3 clients to submit" }],
};
