/**
 * The noise of example-level privacy, apart from the training so that its bound is known without the numerical library.
 */
import { wideNoise } from "../protocol/privacy/wide-noise.ts";
import type { WideNoise } from "../protocol/privacy/wide-noise.ts";

/** Standard deviation of the noise in grid steps. */
export const NOISE_STD_DEV_STEPS = 2 ** 20;

let sampler: WideNoise | undefined;

/**
 * Its sampler, made once in a process: a table of standard deviation 164 with 4,096 rows (80 KiB), three samples of
 * it in one.
 */
export function trainingNoise(): WideNoise {
  return (sampler ??= wideNoise({ variance: BigInt(NOISE_STD_DEV_STEPS) ** 2n, scale: 80, terms: 3 }));
}
