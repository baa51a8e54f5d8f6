import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { auditCommittedWires } from "../../proving/groth16/circuit-audit.ts";
import { isSatisfied, violatedConstraints } from "../../proving/groth16/r1cs.ts";
import type { ConstraintSystem } from "../../proving/groth16/r1cs.ts";
import { invert, randomElement, toField } from "../../protocol/field.ts";
import { NORM_ACCUMULATOR_BITS } from "../../protocol/parameters.ts";
import { customChunk, honestInputs } from "../support/chunk-model.ts";
import type { ChunkInputValues, ChunkModel } from "../support/chunk-model.ts";
import { throwsCode } from "../support/errors.ts";
import { seededRandom } from "../support/random.ts";

const SHAPE = { coordinates: 24, coordinateBits: 4 };
const OFFSET = 8n;

/**
 * Counts changed so that the table's side of the lookup moves by `shift` and the norm does not: what a prover that
 * knows alpha can do.
 */
function withCompensation(
  inputs: ChunkInputValues,
  shift: bigint,
  entries: readonly [number, number],
): ChunkInputValues {
  const [s, t] = entries;
  const weight = (entry: number): bigint => (BigInt(entry) - OFFSET) ** 2n;
  const share = (entry: number): bigint => invert(toField(inputs.alpha + BigInt(entry)));
  // d_s·share_s + d_t·share_t = shift and d_s·weight_s + d_t·weight_t = 0
  const determinant = toField(share(s) * weight(t) - share(t) * weight(s));
  const ds = toField(shift * weight(t) * invert(determinant));
  const dt = toField(-shift * weight(s) * invert(determinant));
  return {
    ...inputs,
    count: inputs.count.with(s, toField(inputs.count[s]! + ds)).with(t, toField(inputs.count[t]! + dt)),
  };
}

describe("the chunk circuit without one of its constraints", function () {
  this.timeout(120_000);
  const random = seededRandom("mutants");
  let model: ChunkModel;
  let honest: ChunkInputValues;
  before(async () => {
    model = await customChunk(SHAPE);
    honest = honestInputs(SHAPE, random);
  });

  it("has a bad witness for every constraint that nothing else refuses", () => {
    const { system, solver } = model;
    const killed = new Set<number>();
    const isKilledBy = (witness: readonly bigint[]): boolean => {
      const violated = violatedConstraints(system, witness, 2);
      if (violated.length === 1) killed.add(violated[0]!);
      return violated.length === 1;
    };
    assert.deepEqual(violatedConstraints(system, model.solve(honest)), []);
    const sumCheck = lookupBalance(model);
    // Rows that determine a wire: give the wire another value and let everything after it follow.
    const right = model.solve(honest);
    for (const wire of solver.determinedBy.values()) {
      const override = new Map([[wire, toField(right[wire]! + 1n)]]);
      const wrong = model.solve(honest, override);
      if (isKilledBy(wrong)) continue;
      const avoided = wire - model.wireOf("main.weighted[0]");
      const entries = [
        [0, 1],
        [2, 3],
      ].find((pair) => !pair.includes(avoided)) as [number, number];
      const moved = model.solve(withCompensation(honest, sumCheck(wrong), entries), override);
      isKilledBy(moved);
    }
    for (const witness of [...digitCheats(model, honest), ...checkCheats(model, honest)]) isKilledBy(witness);
    const survivors = Array.from({ length: system.constraintCount }, (_, row) => row).filter((row) => !killed.has(row));
    assert.deepEqual(survivors, []);
  });

  it("is refused by the build without the blinder's constraint", () => {
    const { system, wires, symbols } = model;
    auditCommittedWires(system, wires, symbols);
    throwsCode(() => auditCommittedWires(withoutWire(system, wires.blinder), wires, symbols), "CIRCUIT_COMPILATION");
  });

  it("notices any single wire that is changed, public inputs included", () => {
    const { system } = model;
    const rowsOf = rowsByWire(system);
    for (const seed of ["first", "second", "third"]) {
      const witness = model.solve(honestInputs(SHAPE, seededRandom(seed)));
      for (let wire = 1; wire < system.wireCount; wire++) {
        for (const delta of [1n, -1n, randomElement(random)]) {
          const changed = witness.with(wire, toField(witness[wire]! + delta));
          assert.ok(
            rowsOf[wire]!.some((row) => !isSatisfied(system, row, changed)),
            `wire ${wire}, seed ${seed}`,
          );
        }
      }
    }
  });
});

/** The amount by which the rows' side of the lookup exceeds the table's in a witness. */
function lookupBalance(model: ChunkModel): (witness: readonly bigint[]) => bigint {
  const first = model.wireOf("main.inverse[0]");
  const weighted = model.wireOf("main.weighted[0]");
  return (witness) => {
    let balance = 0n;
    for (let i = 0; i < model.shape.coordinates; i++) balance += witness[first + i]!;
    for (let t = 0; t < 2 ** model.shape.coordinateBits; t++) balance -= witness[weighted + t]!;
    return toField(balance);
  };
}

/** Digits that are not binary but add up. */
function* digitCheats(model: ChunkModel, honest: ChunkInputValues): Generator<bigint[]> {
  const half = invert(2n);
  const top = NORM_ACCUMULATOR_BITS - 1;
  const all = (1n << BigInt(NORM_ACCUMULATOR_BITS)) - 1n;
  const norm = accumulated(honest) - honest.accumulatedBefore;
  const full = withBefore(honest, all - norm, all);
  const empty = withBefore(
    {
      ...honest,
      row: honest.row.map(() => OFFSET),
      count: honest.count.map((_, t) => (t === Number(OFFSET) ? BigInt(SHAPE.coordinates) : 0n)),
    },
    0n,
    all,
  );
  for (const [inputs, part] of [
    [full, "afterBits"],
    [empty, "slackBits"],
  ] as const) {
    const bit = (k: number): number => model.wireOf(`main.chain.${part}.out[${k}]`);
    for (let k = 0; k < top; k++)
      yield model.solve(
        inputs,
        new Map([
          [bit(k), 3n],
          [bit(k + 1), 0n],
        ]),
      );
    yield model.solve(
      inputs,
      new Map([
        [bit(top), 3n * half],
        [bit(top - 1), 0n],
      ]),
    );
  }
}

/** Rows that determine nothing: the lookup's balance, the two sums of digits. */
function* checkCheats(model: ChunkModel, honest: ChunkInputValues): Generator<bigint[]> {
  const range = 1n << BigInt(NORM_ACCUMULATOR_BITS);
  // A forged histogram of the same norm: entries at the same distance from zero.
  const forged = { ...honest, count: honest.count.with(3, honest.count[3]! + 1n).with(13, honest.count[13]! - 1n) };
  const total = model.wireOf("main.lookup.entries.out");
  yield model.solve(forged);
  yield model.solve(forged, new Map([[total, model.solve(honest)[total]!]]));
  const norm = accumulated(honest) - honest.accumulatedBefore;
  yield model.solve(withBefore(honest, range - norm, range));
  yield model.solve({ ...honest, bound: accumulated(honest) - 1n });
}

function accumulated(inputs: ChunkInputValues): bigint {
  return inputs.row.reduce((sum, row) => sum + (row - OFFSET) ** 2n, inputs.accumulatedBefore);
}

function withBefore(inputs: ChunkInputValues, accumulatedBefore: bigint, bound: bigint): ChunkInputValues {
  return { ...inputs, accumulatedBefore, bound };
}

function withoutWire(system: ConstraintSystem, wire: number): ConstraintSystem {
  const strip = (matrix: ConstraintSystem["a"]): ConstraintSystem["a"] => ({
    ...matrix,
    coefficient: matrix.coefficient.map((value, k) => (matrix.wire[k] === wire ? 0n : value)),
  });
  return { ...system, a: strip(system.a), b: strip(system.b), c: strip(system.c) };
}

function rowsByWire(system: ConstraintSystem): number[][] {
  const rows = Array.from({ length: system.wireCount }, () => new Set<number>());
  for (const matrix of [system.a, system.b, system.c]) {
    for (let row = 0; row < system.constraintCount; row++) {
      for (let k = matrix.rowStart[row]!; k < matrix.rowStart[row + 1]!; k++) rows[matrix.wire[k]!]!.add(row);
    }
  }
  return rows.map((set) => [...set]);
}
