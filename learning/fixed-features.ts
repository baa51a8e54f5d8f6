/**
 * Histograms of oriented gradients (Dalal and Triggs 2005) of small grey images, with a coarse copy of the image:
 * features that nobody learns. With differential privacy they cost nothing, and a linear model on them beats a network
 * on pixels (Tramèr and Boneh 2021, "Differentially private learning needs better features").
 *
 * Only additions, products, quotients and square roots are used, which IEEE 754 rounds alike everywhere, in a fixed
 * order: equal images give equal features on every machine.
 */
import { VerisumError } from "../protocol/errors.ts";
import type { Dataset } from "./examples.ts";

/** Pixels along the side of a cell. */
const CELL = 4;
/** Unsigned orientations, 20 degrees each. */
const ORIENTATIONS = 9;
/** Weight of the pooled pixels beside the histograms, which have norm 1. */
const PIXEL_WEIGHT = 0.15;
/** Cosines and sines of the axes 0°, 20°, … 160°: literals, so that no library's rounding matters. */
const COSINES = Float64Array.of(
  1,
  0.9396926207859084,
  0.766044443118978,
  0.5,
  0.17364817766693041,
  -0.17364817766693041,
  -0.5,
  -0.766044443118978,
  -0.9396926207859084,
);
const SINES = Float64Array.of(
  0,
  0.3420201433256687,
  0.6427876096865393,
  0.8660254037844386,
  0.984807753012208,
  0.984807753012208,
  0.8660254037844386,
  0.6427876096865393,
  0.3420201433256687,
);

/** Features of an image of this size: 490 for 28×28. */
export function featureCount(height: number, width: number): number {
  return (height / CELL) * (width / CELL) * (ORIENTATIONS + 1);
}

/**
 * Replaces each image by its features.
 *
 * @param images values in [0, 1], shape [height, width] or [height, width, 1], both sides multiples of 4
 * @throws DATASET_SPEC_INVALID for another shape
 */
export function withFixedFeatures(images: Dataset): Dataset {
  const [height = 0, width = 0, channels = 1] = images.featureShape;
  if (images.featureShape.length < 2 || channels !== 1 || height % CELL !== 0 || width % CELL !== 0) {
    throw new VerisumError(
      "DATASET_SPEC_INVALID",
      `features=hog needs grey images with sides that are multiples of ${CELL}, not ${images.featureShape.join("×")}`,
      { shape: images.featureShape.join("×") },
    );
  }
  const count = featureCount(height, width);
  const pixels = height * width;
  const features = new Float32Array(images.exampleCount * count);
  for (let row = 0; row < images.exampleCount; row++) {
    describe(
      images.features.subarray(row * pixels, (row + 1) * pixels),
      height,
      width,
      features.subarray(row * count, (row + 1) * count),
    );
  }
  return { ...images, features, featureShape: [count] };
}

/**
 * Histograms of all cells, square-rooted, centred and scaled to norm 1; then each cell's mean brightness times
 * PIXEL_WEIGHT.
 */
function describe(image: Float32Array, height: number, width: number, features: Float32Array): void {
  const roots = new Float64Array(image.length);
  for (let i = 0; i < roots.length; i++) roots[i] = Math.sqrt(image[i]!);
  const cellsAcross = width / CELL;
  const histograms = new Float64Array((height / CELL) * cellsAcross * ORIENTATIONS);
  const brightness = histograms.length;
  for (let y = 0; y < height; y++) {
    const above = Math.max(y - 1, 0) * width;
    const below = Math.min(y + 1, height - 1) * width;
    const firstCell = ((y / CELL) | 0) * cellsAcross;
    for (let x = 0; x < width; x++) {
      const cell = firstCell + ((x / CELL) | 0);
      const at = y * width + x;
      features[brightness + cell] = features[brightness + cell]! + (roots[at]! * PIXEL_WEIGHT) / (CELL * CELL);
      const across = roots[y * width + Math.min(x + 1, width - 1)]! - roots[y * width + Math.max(x - 1, 0)]!;
      const down = roots[below + x]! - roots[above + x]!;
      vote(histograms, cell * ORIENTATIONS, across, down);
    }
  }
  let sum = 0;
  for (let i = 0; i < histograms.length; i++) sum += histograms[i] = Math.sqrt(histograms[i]!);
  const mean = sum / histograms.length;
  let squares = 0;
  for (const value of histograms) squares += (value - mean) * (value - mean);
  // An image without edges has no direction to show.
  const norm = squares === 0 ? 1 : Math.sqrt(squares);
  for (let i = 0; i < histograms.length; i++) features[i] = (histograms[i]! - mean) / norm;
}

/** Adds a gradient's length to the two axes nearest to it, in proportion to its components along them. */
function vote(histograms: Float64Array, at: number, across: number, down: number): void {
  if (across === 0 && down === 0) return;
  // Opposite directions are one orientation: turn into the upper half plane.
  const flip = down < 0 || (down === 0 && across < 0) ? -1 : 1;
  const gx = across * flip;
  const gy = down * flip;
  let lower = gx > 0 ? 0 : 4;
  while (lower < ORIENTATIONS - 1 && COSINES[lower + 1]! * gy - SINES[lower + 1]! * gx >= 0) lower++;
  const upper = lower === ORIENTATIONS - 1 ? 0 : lower + 1;
  // Distances (as sines) to the axes on both sides; the axis at 180° is that at 0° turned.
  const fromLower = COSINES[lower]! * gy - SINES[lower]! * gx;
  const toUpper = upper === 0 ? gy : SINES[upper]! * gx - COSINES[upper]! * gy;
  const length = Math.sqrt(gx * gx + gy * gy);
  const share = fromLower / (fromLower + toUpper);
  histograms[at + lower] = histograms[at + lower]! + length * (1 - share);
  histograms[at + upper] = histograms[at + upper]! + length * share;
}
