/**
 * The clip norm and grid for a task with client-level privacy, from training on public data like the clients': nothing
 * private is looked at.
 */
import type { Dataset } from "../../learning/examples.ts";
import type { Trainer } from "../../learning/trainer.ts";
import type { TaskSpecification } from "../../task/create-task.ts";
import { clientLevel } from "../../task/mechanisms/client-level.ts";
import { settingsOf } from "../../task/mechanisms/mechanism.ts";
import { roundsOfOneClient, withNoiseFor } from "../../task/privacy.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { PRESETS } from "../../protocol/parameters.ts";
import { finestGranularity } from "../../protocol/privacy/granularity.ts";
import type { Granularity } from "../../protocol/privacy/granularity.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { runFederation } from "../../demo/federation.ts";

export interface ProxyData {
  readonly trainer: Trainer;
  /** Public data, dealt as the clients' are. */
  readonly shards: readonly Dataset[];
  readonly test: Dataset;
  readonly random: RandomBytes;
}

export interface ClipSuggestion extends Granularity {
  /** The quantile of the proxy's update norms, in units of the weights. */
  readonly clipNorm: number;
}

/** Longer than any update: the proxy trains without clipping. */
const NO_CLIP_STEPS = 2 ** 23;
/** Of coordinates, at most this share of updates may have one that is clamped. */
const CLAMPED_SHARE = 0.01;

/**
 * Runs the task's rounds on the proxy, without noise and clipping, and clips what the quantile leaves over.
 * @param quantile of the norms of all updates in all rounds, in (0, 1]
 * @param epsilon that all rounds together shall stay within
 * @throws PRIVACY_PARAMETERS_INVALID for a task without client-level privacy, and where no grid holds the noise
 */
export async function suggestClip(
  specification: TaskSpecification,
  epsilon: number,
  quantile: number,
  proxy: ProxyData,
): Promise<ClipSuggestion> {
  const { document, clients, maxRounds } = specification;
  const { privacy, ...training } = document.training;
  if (settingsOf(clientLevel, privacy) === undefined || !(quantile > 0 && quantile <= 1))
    throw new VerisumError(
      "PRIVACY_PARAMETERS_INVALID",
      "a clip norm is suggested for tasks that protect whole clients, at a quantile in (0, 1]",
    );
  const { stepBits } = document.quantisation;
  const rounds = await runFederation(
    { ...specification, document: { ...document, training, quantisation: { stepBits, clipSteps: NO_CLIP_STEPS } } },
    maxRounds,
    { ...proxy, onRound: () => undefined },
  );
  const updates = rounds.flatMap((round) => round.updates);
  const clipNorm =
    quantileOf(
      updates.map(({ normSteps }) => normSteps),
      quantile,
    ) /
    2 ** stepBits;
  // A long update is shortened as a whole, its coordinates with it.
  const coordinates = updates.map(
    ({ normSteps, largestSteps }) => largestSteps * Math.min(1, (clipNorm * 2 ** stepBits) / normSteps),
  );
  const dimension = proxy.trainer.parameterCount;
  const granularity = finestGranularity({
    clipNorm,
    largestCoordinate: Math.min(clipNorm, quantileOf(coordinates, 1 - CLAMPED_SHARE) / 2 ** stepBits),
    dimension,
    coordinateBits: PRESETS[document.preset].coordinateBits,
    varianceFor: (clipSteps) => {
      const request = { ...document, quantisation: { stepBits, clipSteps } };
      const chosen = withNoiseFor(epsilon, {
        document: request,
        dimension,
        minHonest: clients.minHonest,
        rounds: roundsOfOneClient(maxRounds, clients.maxRoundsPerClient),
      }).training.privacy;
      return settingsOf(clientLevel, chosen)!.noiseVariance;
    },
  });
  return { clipNorm, ...granularity };
}

function quantileOf(values: readonly number[], quantile: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(quantile * sorted.length) - 1)]!;
}
