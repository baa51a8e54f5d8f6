/**
 * Fills in the wires of a constraint system from its inputs, with some of them overridden: how a test builds the
 * witness of a cheating prover that keeps every constraint it can. For tests only.
 */
import { invert, toField } from "../../protocol/field.ts";
import { FIELD_ORDER } from "../../protocol/parameters.ts";
import { rowValue } from "../../proving/groth16/r1cs.ts";
import type { ConstraintSystem, SparseMatrix } from "../../proving/groth16/r1cs.ts";

/** Values by wire. */
export type Wires = ReadonlyMap<number, bigint>;

/** The binary digits of `source`, lowest first: wires that no constraint determines linearly. */
export interface Digits {
  readonly source: number;
  readonly bits: readonly number[];
}

type Step =
  | { readonly row: number; readonly wire: number; readonly side: "a" | "b" | "c"; readonly inverseCoefficient: bigint }
  | { readonly digits: Digits };

export class ConstraintSolver {
  /** Wire that each row determines; rows that determine none are checks. */
  readonly determinedBy = new Map<number, number>();
  private readonly system: ConstraintSystem;
  private readonly steps: Step[] = [];

  /** @param inputs wires whose values are given; everything else must follow from them */
  constructor(system: ConstraintSystem, inputs: readonly number[], digits: readonly Digits[]) {
    this.system = system;
    const known = new Set([0, ...inputs]);
    const pendingDigits = new Set(digits);
    const pendingRows = new Set(Array.from({ length: system.constraintCount }, (_, row) => row));
    for (let progress = true; progress;) {
      progress = false;
      for (const entry of pendingDigits) {
        if (!known.has(entry.source)) continue;
        this.steps.push({ digits: entry });
        entry.bits.forEach((bit) => known.add(bit));
        pendingDigits.delete(entry);
        progress = true;
      }
      for (const row of pendingRows) {
        const found = this.soleUnknown(row, known);
        if (found === "several") continue;
        pendingRows.delete(row);
        if (found === "none") continue;
        this.steps.push({
          row,
          ...found,
          inverseCoefficient: invert(coefficientOf(system[found.side], row, found.wire)),
        });
        this.determinedBy.set(row, found.wire);
        known.add(found.wire);
        progress = true;
      }
    }
    if (known.size !== system.wireCount)
      throw new Error(`${system.wireCount - known.size} wires do not follow from the inputs`);
  }

  /** All wires; an overridden wire keeps its override and later wires follow from it. */
  solve(inputs: Wires, overrides: Wires = new Map()): bigint[] {
    const values = new Array<bigint>(this.system.wireCount).fill(0n);
    values[0] = 1n;
    for (const [wire, value] of [...inputs, ...overrides]) values[wire] = toField(value);
    for (const step of this.steps) {
      if ("digits" in step) {
        const source = values[step.digits.source]!;
        step.digits.bits.forEach((bit, k) => (values[bit] = overrides.get(bit) ?? (source >> BigInt(k)) & 1n));
      } else if (!overrides.has(step.wire)) values[step.wire] = this.determine(step, values);
    }
    return values;
  }

  private soleUnknown(
    row: number,
    known: ReadonlySet<number>,
  ): "none" | "several" | { wire: number; side: "a" | "b" | "c" } {
    let found: { wire: number; side: "a" | "b" | "c" } | undefined;
    for (const side of ["a", "b", "c"] as const) {
      const matrix = this.system[side];
      for (let k = matrix.rowStart[row]!; k < matrix.rowStart[row + 1]!; k++) {
        const wire = matrix.wire[k]!;
        if (known.has(wire)) continue;
        if (found !== undefined) return "several";
        found = { wire, side };
      }
    }
    return found ?? "none";
  }

  private determine(
    { row, wire, side, inverseCoefficient }: Exclude<Step, { digits: Digits }>,
    values: bigint[],
  ): bigint {
    const { a, b, c } = this.system;
    values[wire] = 0n;
    const target = {
      a: [rowValue(c, row, values), rowValue(b, row, values)],
      b: [rowValue(c, row, values), rowValue(a, row, values)],
      c: [rowValue(a, row, values) * rowValue(b, row, values), 1n],
    }[side];
    const rest = rowValue(this.system[side], row, values);
    const total = target[1] === 1n ? target[0]! : target[0]! * invert(target[1]!);
    return toField((total - rest) * inverseCoefficient);
  }
}

function coefficientOf(matrix: SparseMatrix, row: number, wire: number): bigint {
  for (let k = matrix.rowStart[row]!; k < matrix.rowStart[row + 1]!; k++)
    if (matrix.wire[k] === wire) return matrix.coefficient[k]! % FIELD_ORDER;
  throw new Error("the wire is not in the row");
}
