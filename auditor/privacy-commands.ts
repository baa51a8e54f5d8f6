/** What `fl dp account` and `fl dp noise` answer. */
import { VerisumError } from "../protocol/errors.ts";
import {
  clientLevelEpsilon,
  discreteGaussianDivergence,
  noiseVarianceFor,
  skellamDivergence,
} from "../protocol/privacy/distributed-gaussian.ts";
import {
  noisyUpdateBounds,
  roundedNorm,
  roundedNormBoundSquared,
  totalVariationOf,
} from "../protocol/privacy/noise-bounds.ts";
import { PRESETS } from "../protocol/parameters.ts";
import { noiseFits } from "../protocol/privacy/granularity.ts";
import { LARGEST_TABLE_ERROR } from "../protocol/privacy/noise-table.ts";
import { tightEpsilon } from "../protocol/privacy/pld-accountant.ts";
import { composedEpsilon, noiseMultiplierFor } from "../protocol/privacy/rdp-accountant.ts";
import type { SubsampledGaussian } from "../protocol/privacy/rdp-accountant.ts";

import type { PrivacyFlags } from "./privacy-flags.ts";

/** The first three fields of every answer; the order is null where the accountant has none. */
interface Answer {
  readonly epsilon: number;
  readonly accountant: string;
  readonly order: number | null;
}

/** Epsilon at delta of the noise, as it is printed. @throws USAGE, PRIVACY_PARAMETERS_INVALID */
export function accountAnswer(flags: PrivacyFlags): string {
  const result = account(flags);
  return answerText(flags, { result, text: accountText(flags, result) });
}

/** The least noise that keeps within epsilon at delta, as it is printed. @throws USAGE, PRIVACY_PARAMETERS_INVALID */
export function noiseAnswer(flags: PrivacyFlags): string {
  return answerText(flags, noiseFor(flags));
}

function answerText(flags: PrivacyFlags, { result, text }: { readonly result: Answer; readonly text: string }): string {
  if (!Number.isFinite(result.epsilon))
    throw new VerisumError(
      "PRIVACY_PARAMETERS_INVALID",
      `no epsilon at delta ${flags.delta}: what does not depend on the noise exceeds it`,
      { delta: flags.delta },
    );
  return flags.format === "json" ? JSON.stringify(result) : text;
}

function account(flags: PrivacyFlags): Answer {
  if (flags.mechanism !== "gaussian") {
    const noiseStdDevSteps = given(flags.noiseStdDev, "--noise-std-dev") / flags.granularity;
    const noise = {
      ...distributedSearch(flags),
      noiseStdDevSteps,
      totalVariation: exitsOf(flags, Math.ceil(noiseStdDevSteps ** 2)),
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
  if (flags.accountant === "pld") return tightEpsilon(mechanism, flags.delta);
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
  const noiseVariance = noiseVarianceFor(epsilon, flags.delta, distributedSearch(flags), () => exitsOf(flags, 1));
  exitsOf(flags, noiseVariance);
  const holders = presetsHolding(flags, noiseVariance);
  const noiseStdDev = Math.sqrt(noiseVariance) * flags.granularity;
  const result = account({ ...flags, noiseStdDev });
  const text = `each client adds noise of variance ${noiseVariance} steps², standard deviation ${noiseStdDev.toPrecision(5)}, which preset ${holders.join(" or ")} holds: ${accountText(flags, result)}`;
  return { result: { ...result, ...{ noiseVariance, noiseStdDev } }, text };
}

/**
 * The presets whose coordinates hold the update with this noise.
 * @throws PRIVACY_PARAMETERS_INVALID if none does: no task can have the noise
 */
function presetsHolding(flags: PrivacyFlags, noiseVariance: number): readonly string[] {
  const dimension = given(flags.dimension, "--dimension");
  const clipSteps = wholeSteps(given(flags.clip, "--clip") / flags.granularity);
  const holders = Object.values(PRESETS).filter(({ coordinateBits }) =>
    noiseFits({ clipSteps, dimension, noiseVariance, coordinateBits }),
  );
  if (holders.length === 0)
    throw new VerisumError(
      "PRIVACY_PARAMETERS_INVALID",
      `epsilon ${flags.epsilon} needs noise of variance ${noiseVariance} steps², and no preset has coordinates that hold it: a coarser --granularity, more --clients or a larger --epsilon is needed`,
      { noiseVariance },
    );
  return holders.map(({ name }) => name);
}

function distributedSearch(flags: PrivacyFlags): Parameters<typeof noiseVarianceFor>[2] {
  if (!(flags.granularity > 0)) throw new VerisumError("PRIVACY_PARAMETERS_INVALID", "granularity > 0 does not hold");
  const clipSteps = given(flags.clip, "--clip") / flags.granularity;
  const dimension = given(flags.dimension, "--dimension");
  const least = given(flags.clients, "--clients");
  // A quotient like 1/0.001 may miss its integer by a rounding.
  const l2SensitivitySteps =
    flags.beta === undefined
      ? Math.sqrt(Number(roundedNormBoundSquared(wholeSteps(clipSteps), dimension)))
      : roundedNorm(clipSteps, dimension, flags.beta);
  return {
    honestClients: { least, most: flags.mostClients ?? least },
    l2SensitivitySteps,
    dimension,
    rounds: compositionsOf(flags),
  };
}

/** Total variation of all exits and sampling errors, or nothing if no width of coordinates is given. */
function exitsOf(flags: PrivacyFlags, noiseVariance: number): number {
  if (flags.coordinateBits === undefined) return 0;
  const dimension = given(flags.dimension, "--dimension");
  const { exitProbability } = noisyUpdateBounds({
    clipSteps: wholeSteps(given(flags.clip, "--clip") / flags.granularity),
    dimension,
    noiseVariance,
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
  if (flags.accountant !== "rdp" || flags.mechanism !== "gaussian") return found;
  const { noiseMultiplier, samplingRate, steps } = flags;
  const tight = tightEpsilon(
    {
      noiseMultiplier: given(noiseMultiplier, "--noise-multiplier"),
      samplingRate,
      steps: given(steps, "--steps") * flags.rounds,
    },
    flags.delta,
  );
  if (tight.accountant === "rdp") return found;
  return `${found}; the privacy loss distribution shows ${tight.epsilon.toPrecision(6)} (pld)`;
}

function given(value: number | undefined, option: string): number {
  if (value === undefined) throw new VerisumError("USAGE", `this mechanism needs ${option}`, { option });
  return value;
}
