import assert from "node:assert/strict";
import { Field } from "@noble/curves/abstract/modular.js";
import { after, before, describe, it } from "mocha";
import { mainPathOf } from "../../proving/groth16/compile-chunk.ts";
import type { KeySet } from "../../proving/groth16/key-set.ts";
import { violatedConstraints } from "../../proving/groth16/r1cs.ts";
import { evaluatePolynomial, invert, multiply, power, randomElement, toField } from "../../protocol/field.ts";
import { FIRST_ACCUMULATOR_HASH, verifyProof } from "../../protocol/groth16.ts";
import { layoutOf } from "../../protocol/layout.ts";
import { FIELD_ORDER, PRESETS } from "../../protocol/parameters.ts";
import { packUpdate } from "../../protocol/packing.ts";
import { poseidonPair } from "../../protocol/poseidon.ts";
import { chunkModel, honestInputs, PUBLIC_WIRES } from "../support/chunk-model.ts";
import type { ChunkInputValues, ChunkModel } from "../support/chunk-model.ts";
import type { Wires } from "../support/constraint-solver.ts";
import { closeEngine, commitUnchecked, devKeys, proveUnchecked } from "../support/proving.ts";
import { seededRandom } from "../support/random.ts";

const KIND = PRESETS.tiny.kinds[0]!;
const SHAPE = { coordinates: KIND.coordinates, coordinateBits: PRESETS.tiny.coordinateBits };
const TABLE = 256n;
const OFFSET = 128n;
const ACCUMULATOR_LIMIT = 1n << 48n;

describe("the chunk circuit against a prover that tries", function () {
  this.timeout(120_000);
  const random = seededRandom("chunk circuit");
  let model: ChunkModel;
  let keys: KeySet;
  let honest: ChunkInputValues;
  before(async () => {
    model = await chunkModel(SHAPE, mainPathOf(KIND));
    keys = await devKeys();
    honest = honestInputs(SHAPE, random);
  });
  after(closeEngine);

  /** Proves the witness without checking it; returns whether that verifies, and the constraints it breaks. */
  async function attempt(witness: readonly bigint[]): Promise<{ accepted: boolean; violated: number }> {
    const { d, publicSignals, ...proof } = await proveUnchecked(keys, 0, witness);
    return {
      accepted: verifyProof(keys.verificationKeys, 0, d, proof, publicSignals),
      violated: violatedConstraints(model.system, witness).length,
    };
  }

  async function refuses(values: ChunkInputValues, overrides?: Wires): Promise<void> {
    const { accepted, violated } = await attempt(model.solve(values, overrides));
    assert.ok(violated > 0, "the witness breaks no constraint");
    assert.ok(!accepted, "the proof verifies");
  }

  it("accepts an honest witness, and one exactly at the bound", async () => {
    assert.deepEqual(await attempt(model.solve(honest)), { accepted: true, violated: 0 });
    assert.deepEqual(await attempt(model.solve({ ...honest, bound: accumulated(honest) })), {
      accepted: true,
      violated: 0,
    });
  });

  it("outputs the block's value at z and the hash of the accumulated norm", () => {
    const witness = model.solve(honest);
    const layout = layoutOf(PRESETS.tiny, SHAPE.coordinates, [0]);
    const block = packUpdate(
      layout,
      Int32Array.from(honest.row, (row) => Number(row - OFFSET)),
      honest.mask,
    );
    assert.equal(witness[PUBLIC_WIRES.y], evaluatePolynomial(block, honest.z));
    assert.equal(witness[PUBLIC_WIRES.h], poseidonPair(accumulated(honest), honest.salt));
    assert.equal(witness[PUBLIC_WIRES.hPrevious], poseidonPair(honest.accumulatedBefore, honest.saltBefore));
    assert.equal(FIRST_ACCUMULATOR_HASH, poseidonPair(0n, 0n));
  });

  it("refuses a norm one above the bound, and bounds of zero or less", async () => {
    await refuses({ ...honest, bound: accumulated(honest) - 1n });
    await refuses({ ...honest, bound: 0n });
    await refuses({ ...honest, bound: FIELD_ORDER - 1n });
  });

  it("refuses an accumulated norm at the end of its range, whatever the bound", async () => {
    const norm = accumulated(honest) - honest.accumulatedBefore;
    const accumulatedBefore = ACCUMULATOR_LIMIT - norm;
    await refuses({ ...honest, accumulatedBefore, bound: ACCUMULATOR_LIMIT });
    assert.equal(
      (
        await attempt(
          model.solve({ ...honest, accumulatedBefore: accumulatedBefore - 1n, bound: ACCUMULATOR_LIMIT - 1n }),
        )
      ).violated,
      0,
    );
  });

  it("refuses a negative partial norm", () => refuses({ ...honest, accumulatedBefore: -accumulated(honest) }));

  const field = Field(FIELD_ORDER);
  const imaginary = power(5n, (FIELD_ORDER - 1n) / 4n);
  const outside: Readonly<Record<string, readonly bigint[]>> = {
    "T, one above the table": [TABLE],
    "−1, one below it": [-1n],
    "a large value": [1n << 100n],
    "√2 mod r, whose square is small": [field.sqrt(2n) + OFFSET],
    "(x, i·x), whose squares cancel": [1000n + OFFSET, multiply(imaginary, 1000n) + OFFSET],
    "1/2": [invert(2n)],
  };
  for (const [name, values] of Object.entries(outside)) {
    it(`refuses a coordinate outside the range: ${name}`, async () => {
      const row = honest.row.map((value, i) => values[i] ?? value);
      // As a histogram cannot hold it, leave the coordinate out, count it as another, or unbalance one entry's inverse.
      const removed = values.map((_, i) => Number(honest.row[i]!));
      const count = removed.reduce((counts, entry) => counts.with(entry, counts[entry]! - 1n), [...honest.count]);
      await refuses({ ...honest, row, count });
      await refuses({ ...honest, row, count: count.with(128, count[128]! + BigInt(values.length)) });
      const weighted = model.wireOf("main.weighted[0]");
      const missing = values.reduce((sum, value) => sum + invert(toField(honest.alpha + value)), 0n);
      await refuses({ ...honest, row, count }, new Map([[weighted, toField(missing)]]));
    });
  }

  it("refuses a forged histogram, also one with the right norm", async () => {
    const move = (from: number, to: number): readonly bigint[] =>
      honest.count.with(from, honest.count[from]! - 1n).with(to, honest.count[to]! + 1n);
    await refuses({ ...honest, count: move(131, 128) });
    await refuses({ ...honest, count: move(131, 125) });
    await refuses({ ...honest, count: honest.count.map((c, t) => (t === 128 ? BigInt(SHAPE.coordinates) : 0n * c)) });
  });

  it("accepts a histogram forged for a known alpha: the order of D before alpha is what forbids it", async () => {
    const row = honest.row.with(0, 1n << 40n);
    const entry = Number(honest.row[0]!);
    const partial = honest.count.with(entry, honest.count[entry]! - 1n);
    // Two counts in the field restore both the lookup's balance and the norm.
    const [s, t] = [7n, 9n];
    const share = (value: bigint): bigint => invert(toField(honest.alpha + value));
    const weight = (value: bigint): bigint => (value - OFFSET) ** 2n;
    const [wantBalance, wantNorm] = [share(row[0]!), 1n];
    const determinant = invert(toField(share(s) * weight(t) - share(t) * weight(s)));
    const ds = toField((wantBalance * weight(t) - share(t) * wantNorm) * determinant);
    const dt = toField((share(s) * wantNorm - wantBalance * weight(s)) * determinant);
    const forged = {
      ...honest,
      bound: ACCUMULATOR_LIMIT - 1n,
      row,
      count: partial.with(Number(s), ds).with(Number(t), dt),
    };
    assert.deepEqual(await attempt(model.solve(forged)), { accepted: true, violated: 0 });
    await refuses({ ...forged, alpha: randomElement(random) });
  });

  it("refuses an opening that does not match the previous hash", async () => {
    const hPrevious = poseidonPair(honest.accumulatedBefore, honest.saltBefore);
    await refuses({ ...honest, hPrevious, accumulatedBefore: honest.accumulatedBefore - 1n });
    await refuses({ ...honest, hPrevious, saltBefore: honest.saltBefore + 1n });
    await refuses({ ...honest, hPrevious: FIRST_ACCUMULATOR_HASH });
    await refuses({ ...honest, hPrevious: 0n });
  });

  it("refuses wrong outputs", async () => {
    const { y, h } = PUBLIC_WIRES;
    const right = model.solve(honest);
    for (const wire of [y, h])
      for (const value of [0n, 1n, right[wire]! + 1n, FIELD_ORDER - 1n])
        await refuses(honest, new Map([[wire, value]]));
  });

  it("refuses a proof whose D commits to other wires than the witness", async () => {
    const witness = model.solve(honest);
    const { publicSignals, ...proof } = await proveUnchecked(keys, 0, witness);
    for (const wire of [model.wires.rowStart, model.wires.countStart, model.wires.maskStart + 2, model.wires.blinder]) {
      const d = await commitUnchecked(keys, 0, witness.with(wire, toField(witness[wire]! + 1n)));
      assert.ok(!verifyProof(keys.verificationKeys, 0, d, proof, publicSignals), `wire ${wire}`);
    }
  });

  it("breaks a constraint for each input changed alone to 0, 1, 2^48 − 1, 2^48 or r − 1", () => {
    const witness = model.solve(honest);
    const first = PUBLIC_WIRES.alpha;
    const wires = [
      first,
      4,
      5,
      6,
      model.wires.rowStart,
      model.wires.countStart + 128,
      model.wires.maskStart,
      model.wires.blinder,
      model.wires.accumulatedBefore,
      model.wires.saltBefore,
      model.wires.salt,
    ];
    for (const wire of wires) {
      for (const value of [0n, 1n, ACCUMULATOR_LIMIT - 1n, ACCUMULATOR_LIMIT, FIELD_ORDER - 1n]) {
        if (witness[wire] === value) continue;
        assert.ok(
          violatedConstraints(model.system, witness.with(wire, value), 1).length > 0,
          `wire ${wire} = ${value}`,
        );
      }
    }
  });
});

function accumulated(inputs: ChunkInputValues): bigint {
  return inputs.row.reduce((sum, row) => sum + (row - OFFSET) ** 2n, inputs.accumulatedBefore);
}
