/** Acts that a role makes once, and that a reorganisation may undo. */
import type { TaskReader } from "../chain/task-chain.ts";

/**
 * A chore that makes the act, unless the chain says that it is there, and again where it is gone. Once it is final the
 * chore does nothing any more: what the account does later is another process's business.
 * @param isThere what the chain says at its latest block
 */
export function untilFinal(
  chain: Pick<TaskReader, "latestBlock" | "finalBlock">,
  isThere: () => Promise<boolean>,
  act: () => Promise<unknown>,
): () => Promise<void> {
  /** The latest block when it was first seen there. */
  let seenAt: number | undefined;
  let isFinal = false;
  return async () => {
    if (isFinal) return;
    if (!(await isThere())) {
      seenAt = undefined;
      await act();
      return;
    }
    seenAt ??= await chain.latestBlock();
    isFinal = (await chain.finalBlock()) >= seenAt;
  };
}
