/** Which round a model comes from. */
import type { ModelRecord } from "../chain/task-chain.ts";
import { ensure } from "../protocol/errors.ts";
import type { OpenTask } from "../task/opened-task.ts";

/** The model of the last round up to this one that finalised; undefined if none did. */
export async function lastModelUpTo(task: Pick<OpenTask, "chain">, until: bigint): Promise<ModelRecord | undefined> {
  for (let round = until; round > 0n; round -= 1n) {
    const found = await finalisedModel(task, round);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The model that a round made, the latest one without a round, the genesis for round 0.
 * @throws USAGE if the round made none
 */
export async function modelOfRound(
  task: Pick<OpenTask, "chain" | "parameters">,
  round: bigint | undefined,
): Promise<ModelRecord> {
  if (round === undefined) return task.chain.latestModel();
  if (round === 0n) return genesisOf(task);
  const found = await finalisedModel(task, round);
  ensure(found !== undefined, "USAGE", `round ${round} has made no model: fl history lists those that did`);
  return found;
}

export function genesisOf({ parameters }: Pick<OpenTask, "parameters">): ModelRecord {
  return { round: 0n, cid: parameters.genesisCid, digest: parameters.genesisDigest };
}

async function finalisedModel({ chain }: Pick<OpenTask, "chain">, round: bigint): Promise<ModelRecord | undefined> {
  const { finalised } = await chain.records(round);
  if (finalised === undefined) return undefined;
  return { round, cid: finalised.result.modelCid, digest: finalised.result.modelDigest };
}
