import assert from "node:assert/strict";
import { describe, it } from "mocha";
import fc from "fast-check";
import { readableModulus } from "../../protocol/weighted-sum.ts";
import { check } from "../support/properties.ts";

/** Half of them multiples of one number, as they have to be for the sum to tell anything. */
const weights = fc.oneof(
  fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 2, maxLength: 8 }),
  fc
    .tuple(fc.integer({ min: 2, max: 60 }), fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 8 }))
    .map(([factor, multiples]) => multiples.map((multiple) => factor * multiple)),
);
/** Of the integers from 0 to m − 1 that are congruent to it. */
const remainder = (value: number, m: number): number => ((value % m) + m) % m;

/** The subsets of others that somebody may know. */
function choices(others: readonly number[], known: number): readonly (readonly number[])[] {
  const all = Array.from({ length: 1 << others.length }, (_, bits) => others.map((_, i) => (bits >> i) & 1));
  return all.filter((chosen) => chosen.filter((bit) => bit === 1).length <= known);
}

describe("a weighted sum", () => {
  it("with equal weights tells no summand modulo any number", () => {
    check(fc.tuple(fc.integer({ min: 1, max: 255 }), fc.integer({ min: 2, max: 8 })), ([weight, count]) => {
      assert.equal(readableModulus(weight, Array<number>(count).fill(weight), count - 1), 1);
    });
  });

  it("tells a summand of weight 1 as it is, where the other weights are large alike", () => {
    const updates = [
      [-127, 3, 0, 127, -64],
      [2047, -2048, 17, -1, 5],
      [-9, 1200, -1999, 4, 0],
    ];
    const sum = updates[0]!.map((_, k) => [1, 255, 255].reduce((total, w, i) => total + w * updates[i]![k]!, 0));
    const modulus = readableModulus(1, [255, 255], 1);
    assert.equal(modulus, 255);
    const read = sum.map((value) => remainder(value + 127, modulus) - 127);
    assert.deepEqual(read, updates[0]);
  });

  it("tells a summand modulo the number and modulo no larger one that divides what stays unknown", () => {
    check(fc.tuple(fc.integer({ min: 1, max: 255 }), weights, fc.nat(1)), ([own, others, known]) => {
      let largest = 1;
      for (const chosen of choices(others, known)) {
        const unknown = others.filter((_, i) => chosen[i] === 0);
        for (let m = 2; m <= 255; m++) {
          // The others add nothing modulo m: it tells as many values of the summand apart as own · x takes.
          if (unknown.some((weight) => weight % m !== 0)) continue;
          largest = Math.max(largest, new Set(Array.from({ length: m }, (_, x) => (own * x) % m)).size);
        }
      }
      assert.equal(readableModulus(own, others, known), largest);
    });
  });
});
