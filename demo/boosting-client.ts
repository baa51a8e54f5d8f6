/**
 * A client that cheats in one round: it multiplies its update so that the norm is twenty times the bound, and submits
 * the best proof it can make. Everything else is the ordinary client. Usage: as `fl-client join`, plus --boost-round.
 */
import { Command } from "commander";
import { platformRandom as random } from "../command/platform-random.ts";
import { connectionOptions, contentOptions, nodeOptions, reporterFor, wholeNumber } from "../command/options.ts";
import { runCommand } from "../command/run.ts";
import type { CommonFlags } from "../command/options.ts";
import { joinTask } from "../client/join.ts";
import { normSquared } from "../protocol/packing.ts";
import { coordinateOffset } from "../protocol/parameters.ts";
import { unguarded } from "./unguarded-prover.ts";

const BOOST = 20;

contentOptions(connectionOptions(new Command("boosting-client"), true))
  .requiredOption("--data <spec>")
  .requiredOption("--boost-round <n>", "the round to cheat in", wholeNumber)
  .action(async (flags: CommonFlags & { readonly data: string; readonly boostRound: bigint }) => {
    const reporter = reporterFor(flags, "client");
    await runCommand(reporter, (signal) =>
      joinTask(
        nodeOptions(flags, "client"),
        { reporter, random, signal },
        ({ learner, prover, verifyOwn }, { parameters, layout }) => {
          let boosting = false;
          return {
            learner: {
              update: async (base, round, terms) => {
                boosting = round === flags.boostRound;
                return learner.update(base, round, terms);
              },
              quantise: (update, base) => {
                const honest = learner.quantise(update, base);
                if (!boosting) return honest;
                const bound = Math.sqrt(Number(parameters.normBoundSquared));
                const boosted = scaledTo(honest, BOOST * bound, coordinateOffset(layout.preset) - 1);
                reporter.say(
                  "warn",
                  "boosting",
                  `cheating: sends an update ${(Math.sqrt(normSquared(boosted)) / bound).toFixed(1)} times the bound`,
                );
                return boosted;
              },
            },
            prover: unguarded(prover, () => boosting),
            verifyOwn: (records, record) => {
              if (!boosting) verifyOwn(records, record);
            },
          };
        },
      ),
    );
  })
  .parseAsync()
  .catch((error: unknown) => {
    throw error;
  });

/** The same direction with at least another norm; coordinates that reach the range stay there. */
function scaledTo(vector: Int32Array, norm: number, limit: number): Int32Array {
  for (let scale = norm / Math.max(Math.sqrt(normSquared(vector)), 1); ; scale *= 1.05) {
    const scaled = vector.map((q) => Math.max(-limit, Math.min(limit, Math.round(q * scale))));
    const saturated = scaled.every((q, i) => vector[i] === 0 || Math.abs(q) === limit);
    if (Math.sqrt(normSquared(scaled)) >= norm || saturated) return scaled;
  }
}
