/** What would end a role is looked at a second time: one endpoint's word must not be the end of anybody. */
import { isVerisumError } from "../protocol/errors.ts";
import type { TaskReader } from "../chain/task-chain.ts";

/**
 * A step that, where it would end the role, is made once more after everything was read anew, from another endpoint if
 * there is one. What this machine alone is to blame for is not looked at again.
 * @param isEnd whether a result ends the role
 * @throws what the second step throws
 */
export function withSecondLook<T>(
  step: () => Promise<T>,
  chain: Pick<TaskReader, "reread">,
  isEnd: (result: T) => boolean = () => false,
): () => Promise<T> {
  return async () => {
    try {
      const result = await step();
      if (!isEnd(result)) return result;
    } catch (error) {
      if (!isVerisumError(error) || error.entry.role !== "end" || error.entry.about === "host") throw error;
    }
    await chain.reread("by what it says this role would end");
    return step();
  };
}
