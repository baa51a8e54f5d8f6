import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { addCells, cellOutcome } from "../../protocol/cells.ts";
import { roundOutcome } from "../../protocol/aggregate.ts";
import { toField } from "../../protocol/field.ts";
import { layoutFor } from "../../protocol/layout.ts";
import { nextModel } from "../../protocol/next-model.ts";
import { MAX_TOTAL_WEIGHT, PRESETS, SLOT_BITS } from "../../protocol/parameters.ts";
import { packUpdate, unpackSum } from "../../protocol/packing.ts";
import { throwsCode } from "../support/errors.ts";
import { check } from "../support/properties.ts";

const DIMENSION = 20;
const LAYOUT = layoutFor(PRESETS.tiny, DIMENSION);
const STEP = {
  fractionalBits: 12,
  stepBits: 6,
  learningRate: { numerator: 3, denominatorBits: 2 },
  momentum: { numerator: 1, denominatorBits: 1 },
};
const BASE = {
  weights: Int32Array.from({ length: DIMENSION }, (_, i) => i * 1000 - 7000),
  kept: [Int32Array.from({ length: DIMENSION }, (_, i) => 300 - i * 31)],
};
const MASKS = Array.from({ length: LAYOUT.chunks.length * 3 }, (_, i) => BigInt(i + 5));

/** The aggregate of one client of this weight. */
function aggregateOf(update: readonly number[], weight: number): { elements: bigint[]; totalWeight: number } {
  return {
    elements: packUpdate(LAYOUT, Int32Array.from(update), MASKS).map((element) => toField(element * BigInt(weight))),
    totalWeight: weight,
  };
}

describe("the sum over cells", () => {
  const updates = fc.array(
    fc.tuple(
      fc.array(fc.integer({ min: -128, max: 127 }), { minLength: DIMENSION, maxLength: DIMENSION }),
      fc.integer({ min: 1, max: MAX_TOTAL_WEIGHT }),
    ),
    { minLength: 1, maxLength: 5 },
  );

  it("is that of one contract with all clients, in whatever order the cells come", () => {
    check(updates, (cells) => {
      const sums = Int32Array.from({ length: DIMENSION }, (_, i) =>
        cells.reduce((sum, [update, weight]) => sum + update[i]! * weight, 0),
      );
      const totalWeight = cells.reduce((sum, [, weight]) => sum + weight, 0);
      const expected = nextModel(BASE, sums, totalWeight, STEP);
      const aggregates = cells.map(([update, weight]) => aggregateOf(update, weight));
      for (let own = 0; own < aggregates.length; own++) {
        const siblings = aggregates.filter((_, i) => i !== own);
        assert.deepEqual(cellOutcome(LAYOUT, BASE, aggregates[own]!, siblings, STEP).model, expected);
      }
    });
  });

  it("is the round's own without siblings", () => {
    const own = aggregateOf(
      Array.from({ length: DIMENSION }, (_, i) => i - 9),
      7,
    );
    assert.deepEqual(
      cellOutcome(LAYOUT, BASE, own, [], STEP),
      roundOutcome(LAYOUT, BASE, own.elements, own.totalWeight, STEP),
    );
  });

  it("keeps each cell's own digest and gives all of them one model", () => {
    const [a, b] = [
      aggregateOf(Array<number>(DIMENSION).fill(5), 3),
      aggregateOf(Array<number>(DIMENSION).fill(-2), 4),
    ];
    const [inA, inB] = [cellOutcome(LAYOUT, BASE, a, [b], STEP), cellOutcome(LAYOUT, BASE, b, [a], STEP)];
    assert.equal(inA.modelDigest, inB.modelDigest);
    assert.notEqual(inA.aggregateDigest, inB.aggregateDigest);
  });

  it("would be wrong as a sum of packed elements: slots carry above the weight of one contract", () => {
    const largest = Array<number>(DIMENSION).fill(-128);
    const cells = Array.from({ length: 2 ** (SLOT_BITS - 1 - 7) / 512 + 1 }, () =>
      aggregateOf(largest, MAX_TOTAL_WEIGHT),
    );
    const decoded = addCells(
      cells.map(({ elements, totalWeight }) => ({ sums: unpackSum(LAYOUT, elements), totalWeight })),
    );
    assert.equal(decoded.sums[0], -128 * MAX_TOTAL_WEIGHT * cells.length);
    const packed = cells.reduce(
      (sum, { elements }) => sum.map((value, i) => toField(value + elements[i]!)),
      cells[0]!.elements.map(() => 0n),
    );
    let undecoded: Int32Array | string;
    try {
      undecoded = unpackSum(LAYOUT, packed);
    } catch (error) {
      undecoded = (error as Error).message;
    }
    assert.notDeepEqual(undecoded, decoded.sums);
  });

  it("refuses a coordinate beyond int32, on either side, and accepts the last one inside", () => {
    const cell = (value: number): { sums: Int32Array; totalWeight: number } => ({
      sums: Int32Array.of(value),
      totalWeight: 1,
    });
    assert.equal(addCells([cell(2 ** 30), cell(2 ** 30 - 1)]).sums[0], 2 ** 31 - 1);
    throwsCode(() => addCells([cell(2 ** 30), cell(2 ** 30)]), "CELLS_SUM_OVERFLOW");
    throwsCode(() => addCells([cell(-(2 ** 30)), cell(-(2 ** 30))]), "CELLS_SUM_OVERFLOW");
  });

  it("cannot leave int32 with 2,052 cells, whatever their clients submit", () => {
    assert.ok(2052 * MAX_TOTAL_WEIGHT * 2 ** 11 < 2 ** 31);
    assert.ok(2053 * MAX_TOTAL_WEIGHT * 2 ** 11 > 2 ** 31);
  });

  it("refuses sums of different lengths", () => {
    throwsCode(
      () =>
        addCells([
          { sums: new Int32Array(2), totalWeight: 1 },
          { sums: new Int32Array(3), totalWeight: 1 },
        ]),
      "UPDATE_LENGTH",
    );
  });
});
