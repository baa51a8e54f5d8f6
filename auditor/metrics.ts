/** What aggregators claim of their models, beside what an auditor measures itself. */
import { ensure } from "../protocol/errors.ts";
import { claimsText, figuresIn, metricsText } from "../task/checkpoint.ts";
import type { Metrics } from "../task/checkpoint.ts";
import type { Checker } from "./checklist.ts";

/** Of one round's model. Nobody checks a claim but whoever has the data: members sign it unseen. */
export interface RoundMetrics {
  readonly round: string;
  /** Null if the aggregator claims nothing; absent if its checkpoint is lost. */
  readonly claimed?: Metrics | null;
  /** On data of the auditor's own. */
  readonly recomputed?: Metrics;
}

/** Two machines' floating point may classify an example or two differently. */
const EXAMPLES_OFF = 2;
const LOSS_OFF = 0.01;

/**
 * Compares a claim with what was measured, where both are of equally many examples: otherwise they are of other data,
 * and say nothing of one another. The finding is red, METRICS_MISMATCH, if they differ by more than rounding.
 */
export async function checkMetrics(
  checker: Checker,
  round: number,
  claimed: Metrics | null | undefined,
  measured: Metrics,
): Promise<void> {
  await checker.check(
    round,
    "metrics",
    () => {
      if (claimed === undefined || claimed === null || claimed.samples !== measured.samples) return;
      const isSame = sameFigures(claimed, measured) && isNear(claimed.loss, measured.loss);
      ensure(isSame, "METRICS_MISMATCH", `${recomputedText(measured)}; ${claimsText(claimed)}`, figuresIn(claimed));
    },
    () => {
      const measuredText = recomputedText(measured);
      if (claimed === undefined || claimed === null) return `${measuredText}; nothing is claimed`;
      if (claimed.samples === measured.samples) return `${measuredText}, as claimed`;
      return `${measuredText}; ${claimsText(claimed)}, of ${claimed.samples} examples and so of other data`;
    },
  );
}

/** A claim of another kind of model is no claim of this one. */
function sameFigures(claimed: Metrics, measured: Metrics): boolean {
  if ("accuracy" in claimed)
    return (
      "accuracy" in measured && Math.abs(claimed.accuracy - measured.accuracy) * measured.samples < EXAMPLES_OFF + 0.5
    );
  return (
    !("accuracy" in measured) &&
    isNear(claimed.rootMeanSquaredError, measured.rootMeanSquaredError) &&
    isNear(claimed.meanAbsoluteError, measured.meanAbsoluteError) &&
    isNear(claimed.r2 ?? 0, measured.r2 ?? 0)
  );
}

function isNear(claimed: number, measured: number): boolean {
  return Math.abs(claimed - measured) <= LOSS_OFF * Math.max(1, measured);
}

function recomputedText(measured: Metrics): string {
  return `${metricsText(measured)} recomputed on ${measured.samples} examples`;
}
