/**
 * What a random rotation would save of a coordinate's width: the table of docs/privacy.md, "Why no rotation?".
 *
 *   node experiments/privacy/rotation-gain.ts
 */
import { seededStream } from "../../learning/seeded-stream.ts";
import type { SeededStream } from "../../learning/seeded-stream.ts";
import { rotate, rotationFor } from "./rotation.ts";

const SEED = 7;
const DIMENSIONS = [650, 4_910, 1_199_882];
/** Vectors of a kind and dimension: at most so many, of together about so many coordinates, two at least. */
const [MOST_VECTORS, MOST_COORDINATES] = [200, 1_000_000];

/** Coordinates as updates may have them, on any scale: a rotation's gain does not depend on it. */
const KINDS: Readonly<Record<string, (stream: SeededStream) => number>> = {
  Gaussian: (stream) => stream.normal(),
  "squared Laplace": (stream) => Math.sign(stream.normal()) * Math.log1p(-stream.uniform()) ** 2,
  "1 % not zero": (stream) => (stream.uniform() < 0.01 ? stream.normal() : 0),
  "3 % a hundred times larger": (stream) => (stream.uniform() < 0.03 ? 100 : 1) * stream.normal(),
};

/**
 * How many bits a rotation takes off the largest coordinate: log2 of the quotient of the largest magnitudes before and
 * after, on average.
 */
export function rotationGain(
  dimension: number,
  coordinate: (stream: SeededStream) => number,
  vectors: number,
  seed: number,
): number {
  const stream = seededStream("rotation-gain", seed);
  let bits = 0;
  for (let vector = 0; vector < vectors; vector++) {
    const before = Float64Array.from({ length: dimension }, () => coordinate(stream));
    const rotation = rotationFor(
      Uint8Array.from({ length: 32 }, () => stream.below(256)),
      dimension,
    );
    bits += Math.log2(largest(before) / largest(rotate(rotation, before))) / vectors;
  }
  return bits;
}

function largest(vector: Float64Array): number {
  return vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

if (import.meta.main) {
  const row = (cells: readonly string[]): void => void process.stdout.write(`| ${cells.join(" | ")} |\n`);
  row(["d, padded", ...Object.keys(KINDS)]);
  row(["---", ...Object.keys(KINDS).map(() => "---")]);
  for (const dimension of DIMENSIONS) {
    const vectors = Math.max(2, Math.min(MOST_VECTORS, Math.round(MOST_COORDINATES / dimension)));
    const padded = rotationFor(new Uint8Array(32), dimension).paddedDimension;
    row([
      [dimension, padded].map((value) => value.toLocaleString("en-US")).join(", "),
      ...Object.values(KINDS).map((kind) => rotationGain(dimension, kind, vectors, SEED).toFixed(1)),
    ]);
  }
}
