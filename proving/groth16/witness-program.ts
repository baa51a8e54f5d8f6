/**
 * The order in which a circuit's constraints determine its witness, found once when keys are made. A prover then needs
 * neither the compiler's calculator nor anybody's code: a program is data, a list of constraints each with the wire it
 * defines.
 */
import { invert, multiply, toField } from "../../protocol/field.ts";
import { FIELD_ORDER } from "../../protocol/parameters.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { rowValue } from "./r1cs.ts";
import type { ConstraintSystem, SparseMatrix } from "./r1cs.ts";

/**
 * Steps begin with five words: operation, target, and the number of terms of a, b and c; a term is a wire and a
 * coefficient's index.
 */
export const STEP = { define: 0, check: 1, digits: 2 } as const;
export const STEP_HEADER_WORDS = 5;
export const TERM_WORDS = 2;

/**
 * `define`: target = a·b + c. `check`: a·b + c = 0. `digits`: the integer c has `target` binary digits, whose wires,
 * lowest first, stand before the terms.
 */
export interface WitnessProgram {
  readonly wireCount: number;
  /** Wires [givenStart, givenEnd) are inputs, as is wire 0, which is 1. All others are defined by a step. */
  readonly givenStart: number;
  readonly givenEnd: number;
  readonly coefficients: readonly bigint[];
  readonly steps: Uint32Array;
}

/** A linear combination. */
type Terms = readonly (readonly [wire: number, coefficient: bigint])[];

/**
 * Orders the constraints. One whose wires are all inputs is left out: whoever provides the inputs keeps it.
 * @throws CIRCUIT_COMPILATION if the inputs do not determine a wire by products, sums and binary digits
 */
export function witnessProgram(system: ConstraintSystem, givenStart: number, givenEnd: number): WitnessProgram {
  return new Planner(system, givenStart, givenEnd).plan();
}

class Planner {
  private readonly system: ConstraintSystem;
  private readonly given: readonly [start: number, end: number];
  private readonly known: Uint8Array;
  /** Rows by the wires they contain, once for each entry. */
  private readonly rowsOf = new Map<number, number[]>();
  /** Entries of wires not known yet, by row. */
  private readonly unknown: Uint32Array;
  private readonly isUsed: Uint8Array;
  private readonly ready: number[] = [];
  private readonly indexOf = new Map<bigint, number>();
  private readonly words: number[] = [];

  constructor(system: ConstraintSystem, givenStart: number, givenEnd: number) {
    this.system = system;
    this.given = [givenStart, givenEnd];
    this.known = new Uint8Array(system.wireCount).fill(1, givenStart, givenEnd);
    this.known[0] = 1;
    this.unknown = new Uint32Array(system.constraintCount);
    this.isUsed = new Uint8Array(system.constraintCount);
  }

  plan(): WitnessProgram {
    const { constraintCount, wireCount } = this.system;
    for (let row = 0; row < constraintCount; row++) {
      const open = this.openWires(row);
      if (open.length === 0 && this.wires(row).every((wire) => this.isGiven(wire))) this.isUsed[row] = 1;
      this.unknown[row] = open.length;
      for (const wire of open) this.rowsOf.set(wire, [...(this.rowsOf.get(wire) ?? []), row]);
      if (open.length <= 1) this.ready.push(row);
    }
    const sums = Array.from({ length: constraintCount }, (_, row) => row).filter((row) => this.isLinear(row));
    do this.propagate();
    while (sums.some((row) => this.tryDigits(row)));
    const missing = this.known.indexOf(0);
    if (missing >= 0)
      throw new VerisumError("CIRCUIT_COMPILATION", `no constraint determines wire ${missing}`, { wire: missing });
    return {
      wireCount,
      givenStart: this.given[0],
      givenEnd: this.given[1],
      coefficients: [...this.indexOf.keys()],
      steps: Uint32Array.from(this.words),
    };
  }

  private propagate(): void {
    for (let row = this.ready.pop(); row !== undefined; row = this.ready.pop()) {
      if (this.isUsed[row] === 1) continue;
      const { a, b, c } = this.system;
      const [target] = this.openWires(row);
      const [left, right, result] = [termsOf(a, row), termsOf(b, row), termsOf(c, row)];
      if (target === undefined) this.emit(STEP.check, 0, left, right, scaled(result, FIELD_ORDER - 1n));
      else {
        const own = result.find(([wire]) => wire === target)?.[1];
        // Checked once something else defines it.
        if (own === undefined || [...left, ...right].some(([wire]) => wire === target)) continue;
        const factor = invert(own);
        this.emit(
          STEP.define,
          target,
          scaled(left, factor),
          right,
          scaled(
            result.filter(([wire]) => wire !== target),
            FIELD_ORDER - factor,
          ),
        );
        this.learn(target);
      }
      this.isUsed[row] = 1;
    }
  }

  /** If all that a sum does not know are digits of its rest, emits them. */
  private tryDigits(row: number): boolean {
    if (this.isUsed[row] === 1) return false;
    const open = this.openWires(row);
    const terms = termsOf(this.system.c, row);
    const weights = new Map(terms);
    const digits = this.digitsOf(open, weights);
    if (digits === undefined || !open.every((wire) => this.isBinary(wire))) return false;
    this.isUsed[row] = 1;
    const rest = terms.filter(([wire]) => this.known[wire] === 1);
    this.emit(STEP.digits, digits.length, [], [], scaled(rest, FIELD_ORDER - invert(weights.get(digits[0]!)!)), digits);
    for (const wire of digits) this.learn(wire);
    return true;
  }

  /** The wires in order if their weights are u, 2·u, 4·u, … for some u. */
  private digitsOf(open: readonly number[], weights: ReadonlyMap<number, bigint>): readonly number[] | undefined {
    const wireOf = new Map(open.map((wire) => [weights.get(wire), wire]));
    for (const unit of wireOf.keys()) {
      const digits = open.map((_, k) => wireOf.get(multiply(unit!, 1n << BigInt(k))));
      if (digits.every((wire) => wire !== undefined)) return digits;
    }
    return undefined;
  }

  private learn(wire: number): void {
    this.known[wire] = 1;
    for (const row of this.rowsOf.get(wire) ?? []) if (--this.unknown[row]! <= 1) this.ready.push(row);
  }

  /** True if some constraint holds for 0 and 1 only. */
  private isBinary(wire: number): boolean {
    return this.rowsOf.get(wire)!.some((row) => {
      if (this.wires(row).some((other) => other !== 0 && other !== wire)) return false;
      const residue = (value: bigint): bigint => {
        const at: Record<number, bigint> = { 0: 1n, [wire]: value };
        const [left, right, result] = [this.system.a, this.system.b, this.system.c].map((matrix) =>
          rowValue(matrix, row, at as unknown as readonly bigint[]),
        ) as [bigint, bigint, bigint];
        return toField(left * right - result);
      };
      return residue(0n) === 0n && residue(1n) === 0n && residue(2n) !== 0n;
    });
  }

  private emit(operation: number, target: number, a: Terms, b: Terms, c: Terms, digits: readonly number[] = []): void {
    this.words.push(operation, target, a.length, b.length, c.length, ...digits);
    for (const [wire, coefficient] of [...a, ...b, ...c]) this.words.push(wire, this.indexFor(coefficient));
  }

  private indexFor(coefficient: bigint): number {
    const found = this.indexOf.get(coefficient);
    if (found !== undefined) return found;
    this.indexOf.set(coefficient, this.indexOf.size);
    return this.indexOf.size - 1;
  }

  private isGiven(wire: number): boolean {
    return wire === 0 || (wire >= this.given[0] && wire < this.given[1]);
  }

  private isLinear(row: number): boolean {
    const { a, b } = this.system;
    return a.rowStart[row] === a.rowStart[row + 1] || b.rowStart[row] === b.rowStart[row + 1];
  }

  private wires(row: number): number[] {
    return [this.system.a, this.system.b, this.system.c].flatMap((matrix) =>
      Array.from(matrix.wire.subarray(matrix.rowStart[row], matrix.rowStart[row + 1])),
    );
  }

  private openWires(row: number): number[] {
    return [...new Set(this.wires(row).filter((wire) => this.known[wire] === 0))];
  }
}

function termsOf(matrix: SparseMatrix, row: number): Terms {
  const [start, end] = [matrix.rowStart[row]!, matrix.rowStart[row + 1]!];
  return Array.from(
    { length: end - start },
    (_, k) => [matrix.wire[start + k]!, matrix.coefficient[start + k]!] as const,
  );
}

function scaled(terms: Terms, factor: bigint): Terms {
  return terms.map(([wire, coefficient]) => [wire, multiply(coefficient, factor)] as const);
}
