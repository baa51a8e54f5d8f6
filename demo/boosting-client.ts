/**
 * A client that cheats in one round: it multiplies its update so that the norm is twenty times the bound, and submits
 * the best proof it can make. Everything else is the ordinary client. Usage: as `fl-client join`, plus --boost-round.
 */
import { wholeNumber } from "../command/options.ts";
import { normSquared } from "../protocol/packing.ts";
import { coordinateOffset } from "../protocol/parameters.ts";
import { runAlteredClient } from "./altered-client.ts";
import { unguarded } from "./unguarded-prover.ts";

const BOOST = 20;

await runAlteredClient<{ readonly boostRound: bigint }>(
  "boosting-client",
  (command) => command.requiredOption("--boost-round <n>", "the round to cheat in", wholeNumber),
  ({ learner, prover, verifyOwn }, { flags, task: { parameters, layout }, reporter }) => {
    let boosting = false;
    return {
      learner: {
        update: async (base, round, terms) => {
          boosting = round === flags.boostRound;
          return learner.update(base, round, terms);
        },
        quantise: (update, base, staleness) => {
          const honest = learner.quantise(update, base, staleness);
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
      verifyOwn: (bases, record) => {
        if (!boosting) verifyOwn(bases, record);
      },
    };
  },
);

/** The same direction with at least another norm; coordinates that reach the range stay there. */
function scaledTo(vector: Int32Array, norm: number, limit: number): Int32Array {
  for (let scale = norm / Math.max(Math.sqrt(normSquared(vector)), 1); ; scale *= 1.05) {
    const scaled = vector.map((q) => Math.max(-limit, Math.min(limit, Math.round(q * scale))));
    const saturated = scaled.every((q, i) => vector[i] === 0 || Math.abs(q) === limit);
    if (Math.sqrt(normSquared(scaled)) >= norm || saturated) return scaled;
  }
}
