import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { bn254 } from "@noble/curves/bn254.js";
import {
  BASE_FIELD_ORDER,
  CHUNK_PUBLIC_SIGNALS,
  FIELD_ORDER,
  MASKS_PER_CHUNK,
  MAX_CHUNKS,
  MAX_COHORT,
  MAX_TOTAL_WEIGHT,
  PRESETS,
  SLOT_BITS,
  SLOTS_PER_ELEMENT,
  assertPreset,
  chunkElements,
  coordinateOffset,
  tableSize,
} from "../../protocol/parameters.ts";
import type { Preset } from "../../protocol/parameters.ts";
import { throwsCode } from "../support/errors.ts";

describe("protocol parameters", () => {
  it("has the orders of BN254", () => {
    assert.equal(FIELD_ORDER, bn254.fields.Fr.ORDER);
    assert.equal(BASE_FIELD_ORDER, bn254.fields.Fp.ORDER);
  });

  it("keeps every weighted sum inside half the field and inside its slots", () => {
    const largestSlotSum = BigInt(MAX_TOTAL_WEIGHT) * 2n ** 11n;
    assert.ok(largestSlotSum < 2n ** BigInt(SLOT_BITS - 1));
    const largestPackedSum = Array.from(
      { length: SLOTS_PER_ELEMENT },
      (_, l) => largestSlotSum << BigInt(SLOT_BITS * l),
    ).reduce((a, b) => a + b);
    assert.ok(largestPackedSum < FIELD_ORDER / 2n);
  });

  it("keeps the norm of the largest update inside the accumulator and a double", () => {
    for (const { kinds, coordinateBits } of Object.values(PRESETS)) {
      const most = Math.max(...kinds.map(({ coordinates }) => coordinates)) * MAX_CHUNKS;
      assert.ok(BigInt(most) * 2n ** BigInt(2 * (coordinateBits - 1)) < 2n ** 48n);
    }
  });

  it("masks each chunk with more unknowns than two honest clients' evaluations can fix", () => {
    assert.equal(MASKS_PER_CHUNK, 3);
  });

  it("has one bit for every client that weights allow", () => {
    assert.ok(MAX_COHORT <= 256);
    assert.equal(CHUNK_PUBLIC_SIGNALS.length, 6);
  });

  it("lists presets whose inequalities hold, kinds ascending, names telling their size", () => {
    for (const [name, preset] of Object.entries(PRESETS)) {
      assertPreset(preset);
      assert.equal(preset.name, name);
      assert.equal(tableSize(preset), 2 * coordinateOffset(preset));
      preset.kinds.forEach((kind, i) => {
        assert.equal(kind.name, `chunk_${kind.coordinates}x${preset.coordinateBits}`);
        assert.equal(chunkElements(kind), kind.coordinates / 12 + 3);
        if (i > 0) assert.ok(kind.coordinates > preset.kinds[i - 1]!.coordinates);
      });
    }
    assert.equal(
      new Set(Object.values(PRESETS).map(({ coordinateBits }) => coordinateBits)).size,
      Object.keys(PRESETS).length,
    );
  });

  const broken: Record<string, (preset: Preset) => Preset> = {
    "13 bits": (preset) => ({ ...preset, coordinateBits: 13 }),
    "1 bit": (preset) => ({ ...preset, coordinateBits: 1 }),
    "a chunk that cuts an element": (preset) => ({
      ...preset,
      kinds: [{ name: "odd", coordinates: 2641, domainBits: 13 }],
    }),
    "a chunk that leaves the domain no room for its table": (preset) => ({
      ...preset,
      kinds: [{ name: "full", coordinates: 4092, domainBits: 13 }],
    }),
    "a chunk whose packed elements overflow the domain": (preset) => ({
      ...preset,
      kinds: [{ name: "full", coordinates: 3840, domainBits: 13 }],
    }),
    "a chunk whose norms overflow the accumulator": (preset) => ({
      ...preset,
      kinds: [{ name: "huge", coordinates: 1_200_000, domainBits: 22 }],
    }),
  };
  for (const [name, change] of Object.entries(broken)) {
    it(`refuses a preset with ${name}`, () =>
      throwsCode(() => assertPreset(change(PRESETS.standard)), "PARAMETERS_INVALID"));
  }
});
