import assert from "node:assert/strict";
import { describe, it } from "mocha";
import fc from "fast-check";
import { isVerisumError } from "../../protocol/errors.ts";
import { randomElements, toField } from "../../protocol/field.ts";
import { layoutFor } from "../../protocol/layout.ts";
import type { Layout } from "../../protocol/layout.ts";
import { assertCoordinates, normSquared, packUpdate, tableRows, unpackSum } from "../../protocol/packing.ts";
import {
  FIELD_ORDER,
  MASKS_PER_CHUNK,
  MAX_TOTAL_WEIGHT,
  PRESETS,
  coordinateOffset,
} from "../../protocol/parameters.ts";
import { linearCombination } from "../../protocol/sharing.ts";
import { throwsCode } from "../support/errors.ts";
import { check } from "../support/properties.ts";
import { seededRandom } from "../support/random.ts";

const tinySmall = PRESETS.tiny.kinds[0]!.coordinates;
const twoChunks = layoutFor(PRESETS.tiny, PRESETS.tiny.kinds[1]!.coordinates + 5);
const standard = layoutFor(PRESETS.standard, 100);

function masksFor(layout: Layout, seed = "masks"): bigint[] {
  return randomElements(layout.chunks.length * MASKS_PER_CHUNK, seededRandom(seed));
}

function zeroMasks(layout: Layout): bigint[] {
  return Array<bigint>(layout.chunks.length * MASKS_PER_CHUNK).fill(0n);
}

function filled(layout: Layout, value: (i: number) => number): Int32Array {
  return Int32Array.from({ length: layout.dimension }, (_, i) => value(i));
}

describe("packUpdate", () => {
  it("puts sum q 2^(21 l) mod r into each element and the masks behind each chunk's elements", () => {
    const q = filled(twoChunks, (i) => ((i * 37) % 256) - 128);
    const masks = masksFor(twoChunks);
    const elements = packUpdate(twoChunks, q, masks);
    assert.equal(elements.length, twoChunks.elementCount);
    twoChunks.chunks.forEach((chunk, k) => {
      const packed = chunk.kind.coordinates / 12;
      for (let e = 0; e < packed; e++) {
        let expected = 0n;
        for (let l = 0; l < 12; l++)
          expected += BigInt(q[chunk.coordinateStart + 12 * e + l] ?? 0) * 2n ** BigInt(21 * l);
        assert.equal(elements[chunk.elementStart + e], toField(expected));
      }
      assert.deepEqual(
        elements.slice(chunk.elementStart + packed, chunk.elementStart + chunk.elementCount),
        masks.slice(3 * k, 3 * k + 3),
      );
    });
  });

  it("refuses a wrong length, a coordinate outside the width and masks that are not elements", () => {
    const q = filled(standard, () => 0);
    throwsCode(() => packUpdate(standard, q.subarray(1), masksFor(standard)), "UPDATE_LENGTH");
    throwsCode(() => packUpdate(standard, new Int32Array(101), masksFor(standard)), "UPDATE_LENGTH");
    throwsCode(
      () =>
        packUpdate(
          standard,
          filled(standard, (i) => (i === 99 ? 2048 : 0)),
          masksFor(standard),
        ),
      "UPDATE_OVER_BOUND",
    );
    throwsCode(
      () =>
        packUpdate(
          standard,
          filled(standard, (i) => (i === 0 ? -2049 : 0)),
          masksFor(standard),
        ),
      "UPDATE_OVER_BOUND",
    );
    throwsCode(() => packUpdate(standard, q, masksFor(standard).slice(1)), "ENCODING_LENGTH");
    throwsCode(() => packUpdate(standard, q, [1n, 2n, FIELD_ORDER]), "ENCODING_NOT_CANONICAL");
    throwsCode(() => packUpdate(standard, q, [1n, -2n, 3n]), "ENCODING_NOT_CANONICAL");
  });

  it("accepts both ends of the width and nothing beyond, in either preset", () => {
    for (const preset of Object.values(PRESETS)) {
      const layout = layoutFor(preset, 3);
      const offset = coordinateOffset(preset);
      assertCoordinates(layout, Int32Array.of(-offset, 0, offset - 1));
      throwsCode(() => assertCoordinates(layout, Int32Array.of(-offset - 1, 0, 0)), "UPDATE_OVER_BOUND");
      throwsCode(() => assertCoordinates(layout, Int32Array.of(0, 0, offset)), "UPDATE_OVER_BOUND");
    }
  });
});

describe("unpackSum", () => {
  it("inverts packing for any update and any masks", () => {
    check(fc.array(fc.integer({ min: -2048, max: 2047 }), { minLength: 1, maxLength: 60 }), (values) => {
      const layout = layoutFor(PRESETS.standard, values.length);
      const q = Int32Array.from(values);
      assert.deepEqual(unpackSum(layout, packUpdate(layout, q, masksFor(layout, String(values.length)))), q);
    });
  });

  it("decodes the weighted sum, totals of either sign, whatever the masks", () => {
    const cases = fc.array(
      fc.tuple(
        fc.integer({ min: 1, max: 100 }),
        fc.array(fc.integer({ min: -128, max: 127 }), { minLength: 30, maxLength: 30 }),
      ),
      { minLength: 1, maxLength: 5 },
    );
    check(cases, (clients) => {
      const layout = layoutFor(PRESETS.tiny, 30);
      const vectors = clients.map(([, q], i) =>
        packUpdate(layout, Int32Array.from(q), masksFor(layout, `client ${i}`)),
      );
      const sum = linearCombination(
        vectors,
        clients.map(([weight]) => BigInt(weight)),
      );
      const expected = Int32Array.from({ length: 30 }, (_, i) =>
        clients.reduce((total, [weight, q]) => total + weight * q[i]!, 0),
      );
      assert.deepEqual(unpackSum(layout, sum), expected);
    });
  });

  for (const [name, value] of Object.entries({
    "all at the bottom": () => -2048,
    "all at the top": () => 2047,
    "alternating, bottom first": (i: number) => (i % 2 === 0 ? -2048 : 2047),
    "alternating, top first": (i: number) => (i % 2 === 0 ? 2047 : -2048),
    "only an element's highest slot at the bottom": (i: number) => (i % 12 === 11 ? -2048 : 0),
  })) {
    it(`holds weight ${MAX_TOTAL_WEIGHT} with coordinates ${name}`, () => {
      const q = filled(standard, value);
      const sum = linearCombination([packUpdate(standard, q, masksFor(standard))], [BigInt(MAX_TOTAL_WEIGHT)]);
      assert.deepEqual(
        unpackSum(standard, sum),
        q.map((coordinate) => coordinate * MAX_TOTAL_WEIGHT),
      );
    });
  }

  it("decodes slots up to their own ends and refuses what is beyond", () => {
    const one = layoutFor(PRESETS.standard, 12);
    const elementOf = (slots: readonly number[]): bigint =>
      toField(slots.reduce((sum, slot, l) => sum + BigInt(slot) * 2n ** BigInt(21 * l), 0n));
    const decode = (element: bigint): Int32Array =>
      unpackSum(one, [element, ...Array<bigint>(one.elementCount - 1).fill(0n)]);
    for (const slot of [-(2 ** 20), 2 ** 20 - 1]) {
      const slots = Array<number>(12).fill(slot);
      assert.deepEqual([...decode(elementOf(slots))], slots);
    }
    const low = toField(-(2n ** 20n) * ((2n ** 252n - 1n) / (2n ** 21n - 1n)));
    const high = (2n ** 20n - 1n) * ((2n ** 252n - 1n) / (2n ** 21n - 1n));
    throwsCode(() => decode(low - 1n), "ENCODING_SLOT_RANGE");
    throwsCode(() => decode(high + 1n), "ENCODING_SLOT_RANGE");
    throwsCode(() => decode(FIELD_ORDER / 2n), "ENCODING_SLOT_RANGE");
    throwsCode(() => decode(FIELD_ORDER / 2n + 1n), "ENCODING_SLOT_RANGE");
  });

  it("names the element that does not decode", () => {
    const wide = layoutFor(PRESETS.tiny, 48);
    const elements = Array<bigint>(wide.elementCount).fill(0n);
    elements[2] = 1n << 252n;
    assert.throws(
      () => unpackSum(wide, elements),
      (error) => isVerisumError(error, "ENCODING_SLOT_RANGE") && error.details["index"] === 2,
    );
  });

  it("refuses elements that are not canonical, which would decode like others", () => {
    const elements = packUpdate(
      standard,
      filled(standard, () => 1),
      zeroMasks(standard),
    );
    throwsCode(() => unpackSum(standard, [elements[0]! + FIELD_ORDER, ...elements.slice(1)]), "ENCODING_NOT_CANONICAL");
    throwsCode(() => unpackSum(standard, [elements[0]! - FIELD_ORDER, ...elements.slice(1)]), "ENCODING_NOT_CANONICAL");
    throwsCode(() => unpackSum(standard, elements.slice(1)), "ENCODING_LENGTH");
    throwsCode(() => unpackSum(standard, [...elements, 0n]), "ENCODING_LENGTH");
  });

  it("does not look at the padding, which a client may fill as it likes within its norm", () => {
    const full = layoutFor(PRESETS.tiny, tinySmall);
    const short = layoutFor(PRESETS.tiny, tinySmall - 3);
    const q = filled(full, () => -7);
    assert.deepEqual(unpackSum(short, packUpdate(full, q, masksFor(full))), q.subarray(0, tinySmall - 3));
  });
});

describe("the circuit's view of an update", () => {
  it("has one table row per coordinate, padding at the row of zero", () => {
    const q = filled(twoChunks, (i) => (i % 256) - 128);
    const rows = tableRows(twoChunks, 1, q);
    assert.equal(rows.length, twoChunks.chunks[1]!.kind.coordinates);
    for (let i = 0; i < rows.length; i++)
      assert.equal(rows[i], (q[twoChunks.chunks[1]!.coordinateStart + i] ?? 0) + 128);
    assert.equal(rows.at(-1), 128);
  });

  it("computes squared norms exactly", () => {
    check(fc.array(fc.integer({ min: -2048, max: 2047 }), { maxLength: 500 }), (values) => {
      assert.equal(
        BigInt(normSquared(Int32Array.from(values))),
        values.reduce((sum, value) => sum + BigInt(value) ** 2n, 0n),
      );
    });
    assert.equal(normSquared(new Int32Array(1_200_000).fill(-2048)), 1_200_000 * 2 ** 22);
  });
});
