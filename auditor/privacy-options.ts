/** `fl dp`: what a choice of noise amounts to, and which noise a target needs. Neither chain nor task is involved. */
import type { Command } from "commander";
import { Option } from "commander";
import { finiteNumber, formatOption, reporterFor } from "../command/options.ts";
import { runCommand } from "../command/run.ts";
import { VerisumError } from "../protocol/errors.ts";
import type { PrivacyFlags, PrivacyQuestion } from "./privacy-flags.ts";

const DISTRIBUTED: readonly PrivacyFlags["mechanism"][] = ["ddgauss", "skellam"];
/** Whose option it is; the others are everybody's. */
const MECHANISMS_OF: Readonly<Record<string, readonly PrivacyFlags["mechanism"][]>> = {
  noiseMultiplier: ["gaussian"],
  granularity: DISTRIBUTED,
  clip: DISTRIBUTED,
  clients: DISTRIBUTED,
  mostClients: DISTRIBUTED,
  dimension: DISTRIBUTED,
  beta: DISTRIBUTED,
  noiseStdDev: DISTRIBUTED,
  coordinateBits: ["ddgauss"],
};

/** An option without effect would let its author believe in another number. @throws USAGE */
function refuseForeign({ mechanism, samplingRate, accountant }: PrivacyFlags, command: Command): void {
  if (mechanism !== "gaussian" && samplingRate !== 1)
    throw new VerisumError(
      "USAGE",
      "everybody sees which clients take part, so sampling them amplifies nothing: leave --sampling-rate at 1",
    );
  if (mechanism !== "gaussian" && accountant !== "rdp")
    throw new VerisumError("USAGE", `--accountant ${accountant} works for the gaussian mechanism only`);
  for (const option of command.options) {
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== "cli" || (MECHANISMS_OF[name] ?? [mechanism]).includes(mechanism))
      continue;
    throw new VerisumError("USAGE", `${option.long ?? name} has no meaning for ${mechanism}`, { option: name });
  }
}

/** Adds `dp account` and `dp noise`. */
export function addPrivacyCommands(program: Command): void {
  const dp = program.command("dp").description("differential privacy: what noise gives, and what noise is needed");
  mechanismOptions(dp.command("account").description("epsilon at delta of noise"))
    .addOption(
      numeric(
        "--noise-multiplier <n>",
        "gaussian: standard deviation of the noise in units of one record's largest contribution",
      ),
    )
    .addOption(
      numeric(
        "--noise-std-dev <n>",
        "ddgauss, skellam: standard deviation of each client's noise, in the clip norm's unit",
      ),
    )
    .action((flags: PrivacyFlags, command: Command) => ask("account", flags, command));
  mechanismOptions(dp.command("noise").description("the least noise that keeps within epsilon at delta"))
    .addOption(numeric("--epsilon <n>", "the target").makeOptionMandatory())
    .action((flags: PrivacyFlags, command: Command) => ask("noise", flags, command));
}

async function ask(question: PrivacyQuestion, flags: PrivacyFlags, command: Command): Promise<void> {
  await runCommand(reporterFor(flags, "fl"), async (signal) => {
    refuseForeign(flags, command);
    const { answerOf } = await import("../command/thread-answer.ts");
    const answer = await answerOf(new URL("./privacy-worker.ts", import.meta.url), { question, flags }, signal);
    process.stdout.write(`${String(answer)}\n`);
  });
}

function mechanismOptions(command: Command): Command {
  return formatOption(command)
    .addOption(
      new Option(
        "--mechanism <name>",
        "gaussian: Poisson-subsampled, one record is protected; ddgauss: a sum of discrete Gaussians, one client is; skellam: for comparison",
      )
        .choices(["gaussian", "ddgauss", "skellam"])
        .makeOptionMandatory(),
    )
    .addOption(numeric("--delta <n>", "the probability that the guarantee leaves out").makeOptionMandatory())
    .addOption(
      new Option("--accountant <name>", "gaussian: Rényi divergences, or the tighter privacy loss distribution")
        .choices(["rdp", "pld"])
        .default("rdp"),
    )
    .addOption(
      numeric(
        "--sampling-rate <q>",
        "gaussian: probability of each record to take part in a step; clients are not sampled",
      ).default(1),
    )
    .addOption(numeric("--steps <n>", "steps in each round (default, but for gaussian: 1)"))
    .addOption(
      numeric("--granularity <n>", "ddgauss, skellam: one step of the integer grid, in the clip norm's unit").default(
        1,
      ),
    )
    .addOption(numeric("--clip <n>", "ddgauss, skellam: L2 norm to which updates are clipped before rounding"))
    .addOption(numeric("--clients <n>", "ddgauss, skellam: fewest honest clients in a round"))
    .addOption(numeric("--most-clients <n>", "ddgauss, skellam: most honest clients in a round (default: the fewest)"))
    .addOption(numeric("--dimension <n>", "ddgauss, skellam: coordinates of an update"))
    .addOption(numeric("--rounds <n>", "number of rounds").default(1))
    .addOption(
      numeric(
        "--beta <n>",
        "ddgauss, skellam: failure probability of an attempt at rounding (default: e^-1/2, as clients do)",
      ),
    )
    .addOption(
      numeric(
        "--coordinate-bits <n>",
        "ddgauss: count in delta that noise may not fit into coordinates of so many bits",
      ),
    );
}

function numeric(flags: string, description: string): Option {
  return new Option(flags, description).argParser(finiteNumber);
}
