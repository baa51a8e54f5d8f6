/** Keeps the index of a task up to date, until it is told to stop. */
import { outlive } from "../command/run.ts";
import type { TaskLook } from "../chain/task-chain.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { ReadingNode } from "../task/node.ts";
import type { Database } from "./database/database.ts";
import { indexTask, taskKey } from "./index-task.ts";
import { indexModels } from "./models.ts";
import { snapshotOf } from "./snapshot.ts";
import type { Observations } from "./snapshot.ts";

export interface KeepOptions {
  readonly database: Database;
  readonly node: Pick<ReadingNode, "chain" | "task" | "store" | "network" | "sleep">;
  /** What others find out about the task, at each look. */
  readonly observe: (look: TaskLook) => Promise<Observations>;
  readonly pollMs: number;
  readonly reporter: Reporter;
  /** Unix seconds. */
  readonly now: () => number;
}

/** Nodes and checkpoints that are away are asked again after this time. */
const ASK_AGAIN_SECONDS = 20;

/** @throws INTERRUPTED; errors that do not pass by themselves */
export async function keepIndex(options: KeepOptions): Promise<never> {
  const pass = createPass(options);
  for (;;) {
    await outlive(pass, options.reporter);
    await options.node.sleep(options.pollMs);
  }
}

/** One look at the chain, and all that follows from it. */
function createPass({ database, node, observe, reporter, now }: KeepOptions): () => Promise<void> {
  const { chain, task, store, network } = node;
  const key = taskKey(chain.context);
  const cellCount = task.cells?.cells.length ?? 1;
  let written = "";
  let observedAt = -Infinity;
  let missing: ReadonlySet<string> = new Set();
  const tell = (trouble: string | null): Promise<void> =>
    database.run("UPDATE tasks SET checked_at = ?, trouble = ? WHERE task = ?", [now(), trouble, key]);

  const look = async (): Promise<void> => {
    await network.refresh();
    const { look: seen, changed } = await indexTask(database, chain);
    const isDue = now() - observedAt >= ASK_AGAIN_SECONDS;
    if (changed || isDue) {
      const text = JSON.stringify(await snapshotOf(node, seen, await observe(seen)));
      if (text !== written || changed)
        await database.run("UPDATE tasks SET snapshot = ?, revision = revision + 1 WHERE task = ?", [text, key]);
      written = text;
      observedAt = now();
      if (isDue) missing = new Set();
    }
    await tell(null);
    missing = new Set([...missing, ...(await indexModels(database, key, store, cellCount, missing))]);
  };

  return async () => {
    try {
      await look();
    } catch (error) {
      if (isVerisumError(error) && error.code !== "INTERRUPTED")
        await tell(`${error.code}: ${error.entry.cause}`).catch(() => reporter.wait("the database does not answer"));
      throw error;
    }
  };
}
