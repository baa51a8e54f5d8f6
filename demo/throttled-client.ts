/**
 * A slow client: its training takes at least so many seconds. Everything else is the ordinary client. Usage: as
 * `fl-client join`, plus --training-seconds.
 */
import { setTimeout } from "node:timers/promises";
import { positiveNumber } from "../command/options.ts";
import type { LocalLearner } from "../client/make-submission.ts";
import { runAlteredClient } from "./altered-client.ts";

await runAlteredClient<{ readonly trainingSeconds: number }>(
  "throttled-client",
  (command) => command.requiredOption("--training-seconds <n>", "how long training takes at least", positiveNumber),
  ({ learner, ...parts }, { flags, signal }) => ({
    ...parts,
    learner: throttled(learner, flags.trainingSeconds, signal),
  }),
);

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
