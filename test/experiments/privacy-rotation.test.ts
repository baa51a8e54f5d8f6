import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { rotationGain } from "../../experiments/privacy/rotation-gain.ts";
import { rotate, rotateBack, rotationFor } from "../../experiments/privacy/rotation.ts";
import { seededRandom } from "../support/random.ts";

const seed = seededRandom("rotation")(32);
const norm = (vector: Float64Array): number => Math.hypot(...vector);
const vectorOf = (dimension: number): Float64Array =>
  Float64Array.from({ length: dimension }, (_, i) => Math.sin(i * i) * (i % 7));

describe("random rotation", () => {
  for (const dimension of [1, 2, 3, 64, 650, 4910]) {
    it(`keeps the norm and comes back, dimension ${dimension}`, () => {
      const rotation = rotationFor(seed, dimension);
      const vector = vectorOf(dimension);
      const rotated = rotate(rotation, vector);
      assert.equal(rotated.length, rotation.paddedDimension);
      assert.ok(rotated.length >= dimension && rotated.length < 2 * dimension);
      assert.ok(Math.abs(norm(rotated) - norm(vector)) <= 1e-12 * norm(vector));
      rotateBack(rotation, rotated).forEach((value, i) => assert.ok(Math.abs(value - vector[i]!) < 1e-12));
    });
  }

  it("maps sums to sums, so that one rotation back serves all clients of a round", () => {
    const rotation = rotationFor(seed, 100);
    const [a, b] = [vectorOf(100), vectorOf(100).reverse()];
    const [ra, rb] = [rotate(rotation, a), rotate(rotation, b)];
    rotateBack(
      rotation,
      ra.map((value, i) => value + rb[i]!),
    ).forEach((value, i) => assert.ok(Math.abs(value - a[i]! - b[i]!) < 1e-12));
  });

  it("spreads one large coordinate evenly", () => {
    const rotated = rotate(
      rotationFor(seed, 1000),
      Float64Array.from({ length: 1000 }, (_, i) => (i === 3 ? 32 : 0)),
    );
    assert.ok(rotated.every((value) => Math.abs(Math.abs(value) - 1) < 1e-12));
  });

  it("keeps every coordinate within 6 standard deviations of an even spread", () => {
    for (const dimension of [650, 4910]) {
      const vector = vectorOf(dimension);
      const rotated = rotate(rotationFor(seed, dimension), vector);
      assert.ok(Math.max(...rotated.map(Math.abs)) < (6 * norm(vector)) / Math.sqrt(rotated.length));
    }
  });

  it("depends on the seed, with balanced signs", () => {
    const [one, other] = [rotationFor(seed, 4096), rotationFor(seededRandom("other")(32), 4096)];
    assert.deepEqual(one, rotationFor(seed, 4096));
    const agreeing = one.signs.filter((sign, i) => sign === other.signs[i]).length;
    for (const count of [agreeing, one.signs.filter((sign) => sign === 1).length])
      assert.ok(Math.abs(count - 2048) < 5 * 32, `${count}`);
  });

  it("gains five bits where one coordinate in 1,024 has it all, and none where all are alike", () => {
    const one = (): (() => number) => {
      let at = 0;
      return () => (at++ % 1024 === 3 ? 1 : 0);
    };
    assert.ok(Math.abs(rotationGain(1024, one(), 2, 1) - 5) < 1e-9);
    const gaussian = rotationGain(1024, (stream) => stream.normal(), 50, 1);
    assert.ok(Math.abs(gaussian) < 0.15, `${gaussian}`);
  });
});
