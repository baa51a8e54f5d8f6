/** How long a client needs in a round: measured, kept between starts, and held to the task's windows. */
import { z } from "zod";
import type { TaskReader } from "../chain/task-chain.ts";
import { mayPass } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";
import { encodeRecord, readRecordOrNull, writeDurably } from "../storage/durable-file.ts";
import type { StateDirectory } from "../storage/state-directory.ts";
import { shortWindows } from "../task/windows.ts";
import type { ClientWork, ShortWindow } from "../task/windows.ts";

const seconds = z.number().nonnegative();
const workSchema = z.strictObject({
  parametersHash: z.string(),
  trainingSeconds: seconds,
  provingSeconds: seconds,
  replicatingSeconds: seconds,
});

export interface WorkTimes {
  /** Keeps what the last round took. */
  keep(work: ClientWork): Promise<void>;
  /** Warns of each window that is too short, for the chain or for this client. What the chain does not tell waits. */
  warn(): Promise<void>;
  /**
   * Seconds to keep for proving and sending: a quarter more than they took last, or a quarter of the time left if this
   * client has not measured them.
   * @param leftSeconds until submissions are over
   */
  reservedSeconds(leftSeconds: number): Promise<number>;
  /** Why this client came too late for a round, in words. */
  whyLate(): Promise<string>;
}

export interface WorkTimesDependencies {
  readonly chain: Pick<TaskReader, "timing">;
  readonly task: { readonly parameters: TaskParameters; readonly parametersHash: Hex };
  readonly state: StateDirectory;
  /** Names (chain, contract, account) inside the state directory. */
  readonly scope: string;
  readonly reporter: Reporter;
}

export function openWorkTimes({ chain, task, state, scope, reporter }: WorkTimesDependencies): WorkTimes {
  const path = state.file(scope, "work-times.json");
  const last = async (): Promise<ClientWork | undefined> => {
    // Damaged, or of another task, it costs nothing but a warning that comes later.
    const { data } = workSchema.safeParse(await readRecordOrNull(path));
    if (data === undefined || data.parametersHash !== task.parametersHash) return undefined;
    const { parametersHash: _, ...work } = data;
    return work;
  };
  const short = async (): Promise<readonly ShortWindow[]> => {
    const work = await last();
    try {
      return shortWindows(task.parameters, await chain.timing(), work);
    } catch (error) {
      if (!mayPass(error)) throw error;
      return [];
    }
  };
  return {
    keep: (work) => writeDurably(path, encodeRecord({ parametersHash: task.parametersHash, ...work })),
    warn: async () => {
      for (const { window, text, neededSeconds, advisedSeconds } of await short())
        reporter.say("warn", "window-short", `${text} in a new task`, { window, neededSeconds, advisedSeconds });
    },
    reservedSeconds: async (leftSeconds) => {
      const work = await last();
      return work === undefined ? leftSeconds / 4 : 1.25 * (work.provingSeconds + work.replicatingSeconds);
    },
    whyLate: async () => {
      const own = (await short()).find(({ window }) => window === "collect");
      if (own !== undefined) return `the window is too short for this client: ${own.text} in a new task`;
      const needed = (await last()) === undefined ? "" : ", which is enough for it from the round's opening on";
      return `windowSeconds.collect is ${task.parameters.collectSeconds}${needed}`;
    },
  };
}
