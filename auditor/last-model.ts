/** Which round a model comes from. */
import type { ModelRecord } from "../chain/task-chain.ts";
import type { OpenTask } from "../task/opened-task.ts";

/** The model of the last round up to this one that finalised; undefined if none did. */
export async function lastModelUpTo(
  { chain }: Pick<OpenTask, "chain">,
  until: bigint,
): Promise<ModelRecord | undefined> {
  for (let round = until; round > 0n; round -= 1n) {
    const { finalised } = await chain.records(round);
    if (finalised !== undefined) return { round, cid: finalised.result.modelCid, digest: finalised.result.modelDigest };
  }
  return undefined;
}
