/**
 * A slow client: its training takes at least so many seconds. Everything else is the ordinary client. Usage: as
 * `fl-client join`, plus --training-seconds.
 */
import { setTimeout } from "node:timers/promises";
import { Command } from "commander";
import { connectionOptions, contentOptions, nodeOptions, positiveNumber, reporterFor } from "../command/options.ts";
import type { CommonFlags } from "../command/options.ts";
import { platformRandom as random } from "../command/platform-random.ts";
import { runCommand } from "../command/run.ts";
import { joinTask } from "../client/join.ts";
import type { LocalLearner } from "../client/make-submission.ts";

interface Flags extends CommonFlags {
  readonly data: string;
  readonly trainingSeconds: number;
}

await contentOptions(connectionOptions(new Command("throttled-client"), true))
  .requiredOption("--data <spec>")
  .requiredOption("--training-seconds <n>", "how long training takes at least", positiveNumber)
  .action(async (flags: Flags) => {
    const reporter = reporterFor(flags, "client");
    await runCommand(reporter, (signal) =>
      joinTask(
        { ...nodeOptions(flags, "client"), data: flags.data },
        { reporter, random, signal },
        ({ learner, ...parts }) => ({ ...parts, learner: throttled(learner, flags.trainingSeconds, signal) }),
      ),
    );
  })
  .parseAsync();

function throttled(learner: LocalLearner, seconds: number, signal: AbortSignal): LocalLearner {
  return {
    ...learner,
    update: async (base, round, terms) => {
      const end = performance.now() + seconds * 1000;
      const update = await learner.update(base, round, terms);
      await setTimeout(Math.max(0, end - performance.now()), undefined, { signal }).catch(() => undefined);
      return update;
    },
  };
}
