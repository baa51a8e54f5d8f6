/** `fl dp`: what a choice of noise amounts to, and which noise a target needs. Neither chain nor task is involved. */
import type { Command } from "commander";
import { Option } from "commander";
import { formatOption, reporterFor } from "../command/options.ts";
import type { Format } from "../command/reporter.ts";
import { runCommand } from "../command/run.ts";
import { VerisumError } from "../protocol/errors.ts";
import {
  clientLevelEpsilon,
  discreteGaussianDivergence,
  localVarianceFor,
  skellamDivergence,
} from "../protocol/privacy/distributed-gaussian.ts";
import {
  noisyUpdateBounds,
  roundedNorm,
  roundedNormBoundSquared,
  totalVariationOf,
} from "../protocol/privacy/noise-bounds.ts";
import { LARGEST_TABLE_ERROR } from "../protocol/privacy/noise-table.ts";
import { pldEpsilon } from "../protocol/privacy/pld-accountant.ts";
import { composedEpsilon, noiseMultiplierFor } from "../protocol/privacy/rdp-accountant.ts";
import type { SubsampledGaussian } from "../protocol/privacy/rdp-accountant.ts";

interface PrivacyFlags {
  readonly mechanism: "gaussian" | "ddgauss" | "skellam";
  readonly accountant: "rdp" | "pld";
  readonly delta: number;
  readonly epsilon?: number;
  readonly noiseMultiplier?: number;
  readonly samplingRate: number;
  readonly steps?: number;
  readonly localDeviation?: number;
  readonly granularity: number;
  readonly clip?: number;
  readonly clients?: number;
  readonly mostClients?: number;
  readonly dimension?: number;
  readonly rounds: number;
  readonly beta?: number;
  readonly coordinateBits?: number;
  readonly format: Format;
}

/** The first three fields of every answer; the order is null where the accountant has none. */
interface Answer {
  readonly epsilon: number;
  readonly accountant: string;
  readonly order: number | null;
}

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
  localDeviation: DISTRIBUTED,
  coordinateBits: ["ddgauss"],
};

/** An option without effect would let its author believe in another number. @throws USAGE */
function refuseForeign({ mechanism, samplingRate, accountant }: PrivacyFlags, command: Command): void {
  if (mechanism !== "gaussian" && samplingRate !== 1)
    throw new VerisumError(
      "USAGE",
      "everybody sees which clients take part, so that sampling them amplifies nothing: --sampling-rate is 1",
    );
  if (mechanism !== "gaussian" && accountant !== "rdp")
    throw new VerisumError("USAGE", `--accountant ${accountant} knows the gaussian mechanism only`);
  for (const option of command.options) {
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== "cli" || (MECHANISMS_OF[name] ?? [mechanism]).includes(mechanism))
      continue;
    throw new VerisumError("USAGE", `${option.long ?? name} means nothing to ${mechanism}`, { option: name });
  }
}

/** Adds `dp account` and `dp noise`. */
export function addPrivacyCommands(program: Command): void {
  const dp = program.command("dp").description("differential privacy: what noise gives, and what noise is needed");
  mechanismOptions(dp.command("account").description("epsilon at delta of noise"))
    .addOption(
      numeric(
        "--noise-multiplier <n>",
        "gaussian: deviation of the noise in units of one record's largest contribution",
      ),
    )
    .addOption(
      numeric("--local-deviation <n>", "ddgauss, skellam: deviation of each client's noise, in the clip norm's unit"),
    )
    .action(async (flags: PrivacyFlags, command: Command) => {
      await answer(flags, () => {
        refuseForeign(flags, command);
        const result = account(flags);
        return { result, text: accountText(flags, result) };
      });
    });
  mechanismOptions(dp.command("noise").description("the least noise that keeps within epsilon at delta"))
    .addOption(numeric("--epsilon <n>", "the target").makeOptionMandatory())
    .action(async (flags: PrivacyFlags, command: Command) => {
      await answer(flags, () => {
        refuseForeign(flags, command);
        return noiseFor(flags);
      });
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

/** A number, or NaN, which every accountant refuses with a code. */
function numeric(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text) => (text.trim() === "" ? NaN : Number(text)));
}

async function answer(
  flags: PrivacyFlags,
  compute: () => { readonly result: Answer; readonly text: string },
): Promise<void> {
  await runCommand(reporterFor(flags, "fl"), async () => {
    const { result, text } = compute();
    if (!Number.isFinite(result.epsilon))
      throw new VerisumError(
        "PRIVACY_PARAMETERS_INVALID",
        `no epsilon at delta ${flags.delta}: what does not depend on the noise exceeds it`,
        { delta: flags.delta },
      );
    process.stdout.write(flags.format === "json" ? `${JSON.stringify(result)}\n` : `${text}\n`);
  });
}

function account(flags: PrivacyFlags): Answer {
  if (flags.mechanism !== "gaussian") {
    const deviationSteps = given(flags.localDeviation, "--local-deviation") / flags.granularity;
    const noise = {
      ...distributedSearch(flags),
      noiseDeviationSteps: deviationSteps,
      totalVariation: exitsOf(flags, Math.ceil(deviationSteps ** 2)),
    };
    const { epsilon, order } = clientLevelEpsilon(
      noise,
      flags.delta,
      flags.mechanism === "ddgauss" ? discreteGaussianDivergence : skellamDivergence,
    );
    return { epsilon, accountant: `${flags.mechanism}-rdp`, order };
  }
  return subsampledAnswer(flags, {
    noiseMultiplier: given(flags.noiseMultiplier, "--noise-multiplier"),
    samplingRate: flags.samplingRate,
    steps: given(flags.steps, "--steps") * flags.rounds,
  });
}

function subsampledAnswer(flags: PrivacyFlags, mechanism: SubsampledGaussian): Answer {
  if (flags.accountant === "pld")
    return { epsilon: pldEpsilon(mechanism, flags.delta).epsilon, accountant: "pld", order: null };
  const { epsilon, order } = composedEpsilon([mechanism], flags.delta);
  return { epsilon, accountant: "rdp", order };
}

function noiseFor(flags: PrivacyFlags): { readonly result: Answer; readonly text: string } {
  const epsilon = given(flags.epsilon, "--epsilon");
  if (flags.mechanism === "gaussian") {
    if (flags.accountant === "pld")
      throw new VerisumError("USAGE", "noise is chosen by the rdp accountant; account for it with --accountant pld");
    const run = { samplingRate: flags.samplingRate, steps: given(flags.steps, "--steps") * flags.rounds };
    const noiseMultiplier = noiseMultiplierFor(epsilon, flags.delta, run);
    const result = subsampledAnswer(flags, { noiseMultiplier, ...run });
    return {
      result: { ...result, ...{ noiseMultiplier } },
      text: `noise multiplier ${noiseMultiplier.toPrecision(5)}: ${accountText({ ...flags, noiseMultiplier }, result)}`,
    };
  }
  if (flags.mechanism === "skellam") throw new VerisumError("USAGE", "noise is chosen for gaussian and ddgauss");
  const localVarianceSteps = localVarianceFor(epsilon, flags.delta, distributedSearch(flags), () => exitsOf(flags, 1));
  exitsOf(flags, localVarianceSteps);
  const localDeviation = Math.sqrt(localVarianceSteps) * flags.granularity;
  const result = account({ ...flags, localDeviation });
  const text = `each client adds noise of variance ${localVarianceSteps} steps², deviation ${localDeviation.toPrecision(5)}: ${accountText(flags, result)}`;
  return { result: { ...result, ...{ localVarianceSteps, localDeviation } }, text };
}

function distributedSearch(flags: PrivacyFlags): Parameters<typeof localVarianceFor>[2] {
  if (!(flags.granularity > 0)) throw new VerisumError("PRIVACY_PARAMETERS_INVALID", "granularity > 0 does not hold");
  const clipSteps = given(flags.clip, "--clip") / flags.granularity;
  const dimension = given(flags.dimension, "--dimension");
  const least = given(flags.clients, "--clients");
  // A quotient like 1/0.001 may miss its integer by a rounding.
  const l2Steps =
    flags.beta === undefined
      ? Math.sqrt(Number(roundedNormBoundSquared(wholeSteps(clipSteps), dimension)))
      : roundedNorm(clipSteps, dimension, flags.beta);
  return {
    honestClients: { least, most: flags.mostClients ?? least },
    l2Steps,
    dimension,
    rounds: compositionsOf(flags),
  };
}

/** Total variation of all exits and sampling errors, or nothing if no width of coordinates is given. */
function exitsOf(flags: PrivacyFlags, localVariance: number): number {
  if (flags.coordinateBits === undefined) return 0;
  const dimension = given(flags.dimension, "--dimension");
  const { exitProbability } = noisyUpdateBounds({
    clipSteps: wholeSteps(given(flags.clip, "--clip") / flags.granularity),
    dimension,
    localVariance,
    coordinateBits: flags.coordinateBits,
  });
  const clients = flags.mostClients ?? given(flags.clients, "--clients");
  return totalVariationOf(exitProbability, {
    clients,
    rounds: compositionsOf(flags),
    dimension,
    perSample: LARGEST_TABLE_ERROR,
  });
}

/** How often clients reveal a sum. */
function compositionsOf({ rounds, steps }: PrivacyFlags): number {
  return rounds * (steps ?? 1);
}

function wholeSteps(steps: number): number {
  const nearest = Math.round(steps);
  return Math.abs(steps - nearest) <= 1e-9 * steps ? nearest : Math.ceil(steps);
}

function accountText(flags: PrivacyFlags, { epsilon, accountant, order }: Answer): string {
  const what = flags.mechanism === "gaussian" ? "each record" : "each client";
  const how = order === null ? "by the privacy loss distribution" : `by Rényi divergence of order ${order}`;
  const found = `${what} has (epsilon ${epsilon.toPrecision(6)}, delta ${flags.delta})-differential privacy, ${how} (${accountant})`;
  if (accountant !== "rdp") return found;
  const { noiseMultiplier, samplingRate, steps } = flags;
  const tight = pldEpsilon(
    {
      noiseMultiplier: given(noiseMultiplier, "--noise-multiplier"),
      samplingRate,
      steps: given(steps, "--steps") * flags.rounds,
    },
    flags.delta,
  );
  return `${found}; the privacy loss distribution shows ${tight.epsilon.toPrecision(6)} (pld)`;
}

function given(value: number | undefined, option: string): number {
  if (value === undefined) throw new VerisumError("USAGE", `this mechanism needs ${option}`, { option });
  return value;
}
