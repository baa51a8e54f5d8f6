import assert from "node:assert/strict";
import { describe, it } from "mocha";
import fc from "fast-check";
import { layoutFor, layoutOf } from "../../protocol/layout.ts";
import type { Layout } from "../../protocol/layout.ts";
import { MAX_CHUNKS, PRESETS } from "../../protocol/parameters.ts";
import type { Preset } from "../../protocol/parameters.ts";
import { throwsCode } from "../support/errors.ts";
import { check } from "../support/properties.ts";

/** Rows and chunks of the best cover, by dynamic programming over every number of coordinates in steps of 12. */
function bruteForce(preset: Preset, dimension: number): { rows: number; chunks: number } {
  const step = 12;
  const cells = Math.ceil(dimension / step);
  const best: { rows: number; chunks: number }[] = [{ rows: 0, chunks: 0 }];
  for (let cell = 1; cell <= cells; cell++) {
    let chosen = { rows: Infinity, chunks: Infinity };
    for (const kind of preset.kinds) {
      const rest = best[Math.max(0, cell - kind.coordinates / step)]!;
      const candidate = { rows: rest.rows + 2 ** kind.domainBits, chunks: rest.chunks + 1 };
      if (candidate.rows < chosen.rows || (candidate.rows === chosen.rows && candidate.chunks < chosen.chunks))
        chosen = candidate;
    }
    best.push(chosen);
  }
  return best[cells]!;
}

function cost(layout: Layout): { rows: number; chunks: number } {
  return { rows: layout.chunks.reduce((sum, { kind }) => sum + 2 ** kind.domainBits, 0), chunks: layout.chunks.length };
}

function assertWellFormed(layout: Layout): void {
  let coordinate = 0;
  let element = 0;
  layout.chunks.forEach((chunk, i) => {
    assert.equal(chunk.coordinateStart, coordinate);
    assert.equal(chunk.elementStart, element);
    assert.equal(chunk.elementCount, chunk.kind.coordinates / 12 + 3);
    assert.ok(chunk.coordinateStart < layout.dimension, "no chunk is padding only");
    if (i > 0) assert.ok(chunk.kindIndex <= layout.chunks[i - 1]!.kindIndex, "larger chunks come first");
    coordinate += chunk.kind.coordinates;
    element += chunk.elementCount;
  });
  assert.ok(coordinate >= layout.dimension);
  assert.equal(layout.elementCount, element);
}

describe("layoutFor", () => {
  it("has the fewest rows, then the fewest chunks, for every small dimension of the tiny preset", () => {
    for (let dimension = 1; dimension <= 6_500; dimension += 7) {
      const layout = layoutFor(PRESETS.tiny, dimension);
      assertWellFormed(layout);
      assert.deepEqual(cost(layout), bruteForce(PRESETS.tiny, dimension), `dimension ${dimension}`);
    }
  });

  it("has the fewest rows, then the fewest chunks, for the standard preset", () => {
    check(
      fc.integer({ min: 1, max: 400_000 }),
      (dimension) => {
        const layout = layoutFor(PRESETS.standard, dimension);
        assertWellFormed(layout);
        assert.deepEqual(cost(layout), bruteForce(PRESETS.standard, dimension));
      },
      60,
    );
  });

  it("changes exactly where a chunk is full", () => {
    for (const { kinds } of Object.values(PRESETS))
      assert.equal(
        kinds.every(({ coordinates }) => coordinates % 12 === 0),
        true,
      );
    const largest = PRESETS.standard.kinds[2]!.coordinates;
    assert.equal(layoutFor(PRESETS.standard, largest).chunks.length, 1);
    assert.equal(layoutFor(PRESETS.standard, largest + 1).chunks.length, 2);
    assert.equal(layoutFor(PRESETS.standard, MAX_CHUNKS * largest).chunks.length, MAX_CHUNKS);
  });

  for (const dimension of [
    0,
    -1,
    1.5,
    NaN,
    Infinity,
    2 ** 53,
    MAX_CHUNKS * PRESETS.standard.kinds[2]!.coordinates + 1,
    1e15,
  ]) {
    it(`refuses dimension ${dimension}`, () =>
      throwsCode(() => layoutFor(PRESETS.standard, dimension), "PARAMETERS_INVALID"));
  }
});

describe("layoutOf", () => {
  const smallest = PRESETS.tiny.kinds[0]!.coordinates;

  it("reproduces what layoutFor chose", () => {
    check(fc.integer({ min: 1, max: 60_000 }), (dimension) => {
      const layout = layoutFor(PRESETS.tiny, dimension);
      assert.deepEqual(
        layoutOf(
          PRESETS.tiny,
          dimension,
          layout.chunks.map(({ kindIndex }) => kindIndex),
        ),
        layout,
      );
    });
  });

  const refused: Record<string, [number, readonly number[]]> = {
    "no chunks": [100, []],
    "no coordinates": [0, []],
    "a dimension that is not a number": [NaN, [0]],
    "too few coordinates": [smallest + 1, [0]],
    "a chunk of padding only": [smallest, [0, 0]],
    "a kind that does not exist": [100, [2]],
    "a negative kind": [100, [-1]],
    "a larger kind after a smaller one": [smallest + 1, [0, 1]],
    "more chunks than the norm's accumulator holds": [
      (MAX_CHUNKS + 1) * smallest,
      Array<number>(MAX_CHUNKS + 1).fill(0),
    ],
  };
  for (const [name, [dimension, kinds]] of Object.entries(refused)) {
    it(`refuses ${name}`, () => throwsCode(() => layoutOf(PRESETS.tiny, dimension, kinds), "PARAMETERS_INVALID"));
  }
});
