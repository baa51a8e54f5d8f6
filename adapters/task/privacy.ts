/** What a task's differential privacy amounts to so far, for its checkpoints. */
import { composedEpsilon } from "../../protocol/privacy/rdp-accountant.ts";
import type { CheckpointConfig } from "./checkpoint.ts";
import type { TaskDocument } from "./document.ts";

/** Printed digits: rounded up, so that every machine prints the same and never less than it computed. */
const DECIMALS = 4;

/**
 * The statement after `rounds` rounds, for every client that took part in all of them; null if the task trains without noise.
 * Aborted rounds count: a client may have trained in them.
 */
export function privacyStatement(document: Pick<TaskDocument, "training">, rounds: number): CheckpointConfig["privacy"] {
  const { privacy } = document.training;
  if (privacy === undefined) return null;
  const { noiseMultiplier, samplingRate, stepsPerRound } = privacy;
  const { epsilon } = composedEpsilon([{ noiseMultiplier, samplingRate, steps: stepsPerRound * rounds }], privacy.delta);
  return {
    unit: privacy.unit,
    statement: "each single record in a client's data is protected against everybody who sees the published models, by the client's own noise",
    epsilon: Math.ceil(epsilon * 10 ** DECIMALS) / 10 ** DECIMALS,
    delta: privacy.delta,
  };
}
