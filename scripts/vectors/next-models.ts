/** Golden next models of each server rule and of an adaptive clip norm (docs/formats.md, section 10). */
import type { AdaptiveClip } from "../../protocol/clip-level.ts";
import type { ModelState } from "../../protocol/model.ts";
import { nextModel } from "../../protocol/next-model.ts";
import type { ServerStep } from "../../protocol/next-model.ts";

/** Coordinates of both signs, halves among their quotients, and zero. */
const SUMS = [0, 1, -1, 7, -7, 250, -249, 1023, -20_000, 19_999, 12, -12];
const WEIGHTS = [0, 5, -5, 70_000, -70_000, 1_048_576, -1, 1, 2 ** 26, -(2 ** 26), 300_000, -300_000];

const STEPS: readonly ServerStep[] = [
  { fractionalBits: 20, learningRate: dyadic(3, 2), momentum: dyadic(5, 3), stepBits: 7 },
  { rule: "fedavgm", fractionalBits: 8, learningRate: dyadic(1, 0), momentum: dyadic(0, 0), stepBits: 14 },
  {
    ...{ rule: "fedadam", fractionalBits: 20, learningRate: dyadic(1, 6), beta1: dyadic(9, 4), beta2: dyadic(127, 7) },
    ...{ tauBits: 10, stepBits: 12 },
  },
];
const ADAPTIVE: AdaptiveClip = {
  ...{ quantile: dyadic(1, 1), octavesPerRound: dyadic(3, 2), maxOctaves: 2, voteSteps: 60 },
};
/** In units of 2^−16 octaves: none, some, negative, and beyond what the task allows. */
const LEVELS = [0, 50_000, -20_001, 200_000];
/** The sum of votes on each of them, one of them more than all votes can be. */
const VOTES = [0, 37, -101, 1_000];
const TOTAL_WEIGHTS = [1, 7];

/** Each with its step, its state before, the sums and their weight, and the state after. */
export function nextModelVectors(): object[] {
  return STEPS.flatMap((step) => TOTAL_WEIGHTS.flatMap((totalWeight) => casesOf(step, totalWeight)));
}

function casesOf(step: ServerStep, totalWeight: number): object[] {
  const keptCount = step.rule === "fedadam" ? 2 : 1;
  const before = (last: readonly number[]): ModelState => ({
    weights: Int32Array.from([...WEIGHTS, ...last]),
    kept: Array.from({ length: keptCount }, (_, k) =>
      Int32Array.from([
        ...WEIGHTS.map((weight, i) => Math.trunc(Math.abs(weight) / 2 ** (k + 4)) + i),
        ...last.map(() => 0),
      ]),
    ),
  });
  const adaptive = { ...step, adaptiveClip: ADAPTIVE };
  return [
    vector(step, before([]), SUMS, totalWeight),
    ...LEVELS.map((level, i) => vector(adaptive, before([level]), [...SUMS, VOTES[i]!], totalWeight)),
  ];
}

function vector(step: ServerStep, state: ModelState, sums: readonly number[], totalWeight: number): object {
  const next = nextModel(state, Int32Array.from(sums), totalWeight, step);
  return { step, totalWeight, sums, before: listed(state), after: listed(next) };
}

function listed({ weights, kept }: ModelState): object {
  return { weights: [...weights], kept: kept.map((values) => [...values]) };
}

function dyadic(numerator: number, denominatorBits: number): AdaptiveClip["quantile"] {
  return { numerator, denominatorBits };
}
