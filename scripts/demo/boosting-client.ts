/**
 * A client that cheats in one round: it multiplies its update so that the norm is twenty times the bound, and submits the
 * best proof it can make. Everything else is the ordinary client. Usage: as `fl-client join`, plus --boost-round.
 */
import { randomFillSync } from "node:crypto";
import { Command } from "commander";
import { connectionOptions, contentOptions, reporterFor } from "../../adapters/cli/options.ts";
import { runCommand } from "../../adapters/cli/run.ts";
import { joinTask } from "../../client/join.ts";
import type { JoinFlags } from "../../client/join.ts";
import { unguarded } from "./unguarded-prover.ts";

const BOOST = 20;
const COORDINATE_LIMIT = 2047;

const random = (length: number): Uint8Array => randomFillSync(new Uint8Array(length));

contentOptions(connectionOptions(new Command("boosting-client"), true))
  .requiredOption("--data <spec>")
  .requiredOption("--boost-round <n>", "the round to cheat in", (text) => BigInt(text))
  .action(async (flags: JoinFlags & { readonly boostRound: bigint }) => {
    const reporter = reporterFor(flags, "client");
    await runCommand(reporter, (signal) =>
      joinTask(flags, reporter, random, signal, ({ learner, prover }) => {
        let boosting = false;
        return {
          learner: {
            update: async (base, round) => {
              boosting = round === flags.boostRound;
              return learner.update(base, round);
            },
            quantise: (update) => {
              const honest = learner.quantise(update);
              if (!boosting) return honest;
              const norm = Math.sqrt(honest.reduce((sum, q) => sum + q * q, 0));
              reporter.say("warn", "boosting", `cheating: sends an update of ${BOOST} times the bound`, { norm: Math.round(norm) });
              return boosted(honest, norm);
            },
          },
          prover: unguarded(prover, () => boosting),
        };
      }),
    );
  })
  .parseAsync()
  .catch((error: unknown) => {
    throw error;
  });

/** The direction of the honest update with BOOST times the clip norm, coordinates clamped to the range. */
function boosted(honest: Int32Array, norm: number): Int32Array {
  const clip = 1536;
  const factor = (BOOST * clip) / Math.max(norm, 1);
  return honest.map((q) => Math.max(-COORDINATE_LIMIT, Math.min(COORDINATE_LIMIT, Math.round(q * factor))));
}
