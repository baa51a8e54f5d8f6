/**
 * What training takes, in one place: a task's document promises no more (task/document.ts), and training checks it
 * again.
 */
import { ensure, ensureRules } from "../../protocol/errors.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import type { TrainOptions } from "./training-method.ts";

/** A range of numbers with both ends, but for `below`, which is outside of it. */
export interface Range {
  readonly least: number;
  readonly most?: number;
  readonly below?: number;
  readonly whole?: boolean;
}

export const TRAINING_LIMITS = {
  learningRate: { least: 1e-9, most: 1e6 },
  /** Share of the last step that is kept. */
  momentum: { least: 0, below: 1 },
  batchSize: { least: 1, most: 1_000_000, whole: true },
  localEpochs: { least: 1, most: 10_000, whole: true },
} as const satisfies Readonly<Record<string, Range>>;

export const PRIVATE_TRAINING_LIMITS = {
  /** L2 norm, in units of a gradient. */
  clipNorm: { least: 1e-6, most: 1e6 },
  noiseMultiplier: { least: 0.1, most: 1000 },
  samplingRate: { least: 1e-9, most: 1 },
  steps: { least: 1, most: 1_000_000, whole: true },
} as const satisfies Readonly<Record<string, Range>>;

/** What a document may leave out. */
export const OPTIONAL_TRAINING_LIMITS = {
  /** In units of the learning rate. */
  weightDecay: { least: 0, most: 1 },
} as const satisfies Readonly<Record<string, Range>>;

/** How much an example of one class counts in the loss. */
export const CLASS_WEIGHT_LIMITS = { least: 0, most: 1000 } as const satisfies Range;

/** @throws TRAINING_OPTIONS_INVALID, PRIVACY_PARAMETERS_INVALID naming the range */
export function assertTrainOptions(options: TrainOptions): void {
  assertWithin("TRAINING_OPTIONS_INVALID", TRAINING_LIMITS, options);
  const { weightDecay = 0, classWeights = [1] } = options;
  assertWithin("TRAINING_OPTIONS_INVALID", OPTIONAL_TRAINING_LIMITS, { weightDecay });
  ensure(
    classWeights.every((weight) => isWithin(weight, CLASS_WEIGHT_LIMITS)) &&
      !classWeights.every((weight) => weight === 0),
    "TRAINING_OPTIONS_INVALID",
    `each class's weight is a number from 0 to ${CLASS_WEIGHT_LIMITS.most}, and one is above 0`,
  );
  if (options.privacy !== undefined)
    assertWithin("PRIVACY_PARAMETERS_INVALID", PRIVATE_TRAINING_LIMITS, options.privacy);
}

function assertWithin<Limits extends Readonly<Record<string, Range>>>(
  code: ErrorCode,
  limits: Limits,
  values: Readonly<Record<keyof Limits, number>>,
): void {
  const rules = Object.entries(limits).map(([name, range]): [string, boolean] => [
    ruleText(name, range),
    isWithin(values[name]!, range),
  ]);
  ensureRules(code, Object.fromEntries(rules));
}

function isWithin(value: number, { least, most = Infinity, below = Infinity, whole = false }: Range): boolean {
  return (
    Number.isFinite(value) && value >= least && value <= most && value < below && (!whole || Number.isInteger(value))
  );
}

function ruleText(name: string, { least, most, below, whole = false }: Range): string {
  const end = most === undefined ? (below === undefined ? "" : ` < ${below}`) : ` <= ${most}`;
  return `${least} <= ${name}${end}${whole ? ", a whole number," : ""}`;
}
