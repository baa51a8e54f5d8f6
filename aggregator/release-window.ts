/** Whether the chain is fast enough for the task's window in which a settled sum is released and finished. */
import type { TaskReader } from "../chain/task-chain.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { TaskParameters } from "../protocol/task.ts";
import { shortWindows } from "../task/windows.ts";
import type { ShortWindow } from "../task/windows.ts";

export interface ReleaseWindowDependencies {
  readonly chain: Pick<TaskReader, "timing" | "rereadRound">;
  readonly task: { readonly parameters: TaskParameters };
  readonly reporter: Reporter;
}

/** What is left undone while the window is too short. */
export type Undone = "opened" | "settled";

/**
 * Tells whether a settlement of this round could become final, be released and be finished before its window ends; else
 * says why the round is not opened or settled.
 */
export type ReleaseWindow = (round: bigint, undone: Undone) => Promise<boolean>;

export function createReleaseWindow({ chain, task, reporter }: ReleaseWindowDependencies): ReleaseWindow {
  const said = new Set<string>();
  const short = async (): Promise<ShortWindow | undefined> =>
    shortWindows(task.parameters, await chain.timing()).find(({ window }) => window === "aggregate");
  return async (round, undone) => {
    const event = `not-${undone}`;
    const isNew = !said.has(`${event} ${round}`);
    let found = await short();
    if (found !== undefined && isNew) {
      // One endpoint that lags must not stop the task: another one is asked, once a round.
      await chain.rereadRound("by its blocks nothing is final in time");
      found = await short();
    }
    if (found === undefined) return true;
    const { text, advisedSeconds } = found;
    const says = `round ${round} is not ${undone}, since nobody could release and finish it in time: ${text}`;
    if (isNew) reporter.say("warn", event, says, { round, advisedSeconds });
    said.add(`${event} ${round}`);
    reporter.wait(says, { round });
    return false;
  };
}
