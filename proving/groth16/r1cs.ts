/** Rank-1 constraint systems as circom writes them: reading, orientation of rows, satisfaction. */
import { readScalar } from "../curve/bn254.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { FIELD_ORDER } from "../../protocol/parameters.ts";
import { readSections } from "./binary-file.ts";

/** A sparse matrix by rows: entries rowStart[i] … rowStart[i+1] − 1 belong to row i. */
export interface SparseMatrix {
  readonly rowStart: Uint32Array;
  readonly wire: Uint32Array;
  readonly coefficient: readonly bigint[];
}

/** A∘w * B∘w = C∘w, row by row. Wire 0 is 1, then the public wires. */
export interface ConstraintSystem {
  readonly wireCount: number;
  readonly publicCount: number;
  readonly constraintCount: number;
  readonly a: SparseMatrix;
  readonly b: SparseMatrix;
  readonly c: SparseMatrix;
}

const COEFFICIENT_BYTES = 32;

/**
 * Reads an .r1cs file (iden3 binary format, version 1) over BN254.
 * @throws KEY_ARTIFACT_CORRUPT if it is not one
 */
export function readR1cs(bytes: Uint8Array): ConstraintSystem {
  const sections = readSections(bytes, "r1cs");
  const header = view(sections.get(1));
  if (header.getUint32(0, true) !== COEFFICIENT_BYTES || readScalar(header, 4) !== FIELD_ORDER) {
    throw new VerisumError("KEY_ARTIFACT_CORRUPT", "the constraint system is not over the scalar field of BN254");
  }
  const wireCount = header.getUint32(36, true);
  const publicCount = header.getUint32(40, true) + header.getUint32(44, true);
  const constraintCount = header.getUint32(60, true);
  const body = view(sections.get(2));
  const matrices = [new MatrixBuilder(), new MatrixBuilder(), new MatrixBuilder()] as const;
  let at = 0;
  for (let row = 0; row < constraintCount; row++) {
    for (const matrix of matrices) {
      const terms = body.getUint32(at, true);
      at += 4;
      for (let k = 0; k < terms; k++, at += 4 + COEFFICIENT_BYTES)
        matrix.add(body.getUint32(at, true), readScalar(body, at + 4));
      matrix.endRow();
    }
  }
  if (at !== body.byteLength)
    throw new VerisumError("KEY_ARTIFACT_CORRUPT", "bytes are left after the last constraint");
  return {
    wireCount,
    publicCount,
    constraintCount,
    a: matrices[0].build(),
    b: matrices[1].build(),
    c: matrices[2].build(),
  };
}

/**
 * Swaps the factors of every row whose right factor alone has wires in [firstWide, wireCount), so that wide values
 * (inverses) stay out of B: the product in G2 then sees only public wires and small committed ones.
 */
export function keepWideWiresLeft(system: ConstraintSystem, firstWide: number): ConstraintSystem {
  const a = new MatrixBuilder();
  const b = new MatrixBuilder();
  for (let row = 0; row < system.constraintCount; row++) {
    const swap = hasWireFrom(system.b, row, firstWide) && !hasWireFrom(system.a, row, firstWide);
    copyRow(swap ? system.b : system.a, row, a);
    copyRow(swap ? system.a : system.b, row, b);
  }
  return { ...system, a: a.build(), b: b.build() };
}

/** Indexes of the constraints that the witness does not satisfy, at most `limit` of them. */
export function violatedConstraints(
  system: ConstraintSystem,
  witness: readonly bigint[],
  limit = Number.POSITIVE_INFINITY,
): number[] {
  const violated: number[] = [];
  for (let row = 0; row < system.constraintCount && violated.length < limit; row++) {
    if (!isSatisfied(system, row, witness)) violated.push(row);
  }
  return violated;
}

/** True if the witness satisfies this row. */
export function isSatisfied(system: ConstraintSystem, row: number, witness: readonly bigint[]): boolean {
  const product = rowValue(system.a, row, witness) * rowValue(system.b, row, witness);
  return (product - rowValue(system.c, row, witness)) % FIELD_ORDER === 0n;
}

/** The row's inner product with the witness, mod r. */
export function rowValue(matrix: SparseMatrix, row: number, witness: readonly bigint[]): bigint {
  let sum = 0n;
  for (let k = matrix.rowStart[row]!; k < matrix.rowStart[row + 1]!; k++)
    sum += matrix.coefficient[k]! * witness[matrix.wire[k]!]!;
  return sum % FIELD_ORDER;
}

class MatrixBuilder {
  private readonly rowStart: number[] = [0];
  private readonly wire: number[] = [];
  private readonly coefficient: bigint[] = [];

  add(wire: number, coefficient: bigint): void {
    this.wire.push(wire);
    this.coefficient.push(coefficient);
  }

  endRow(): void {
    this.rowStart.push(this.wire.length);
  }

  build(): SparseMatrix {
    return {
      rowStart: Uint32Array.from(this.rowStart),
      wire: Uint32Array.from(this.wire),
      coefficient: this.coefficient,
    };
  }
}

function hasWireFrom(matrix: SparseMatrix, row: number, first: number): boolean {
  for (let k = matrix.rowStart[row]!; k < matrix.rowStart[row + 1]!; k++) if (matrix.wire[k]! >= first) return true;
  return false;
}

function copyRow(from: SparseMatrix, row: number, to: MatrixBuilder): void {
  for (let k = from.rowStart[row]!; k < from.rowStart[row + 1]!; k++) to.add(from.wire[k]!, from.coefficient[k]!);
  to.endRow();
}

function view(section: Uint8Array | undefined): DataView {
  if (section === undefined)
    throw new VerisumError("KEY_ARTIFACT_CORRUPT", "a section of the constraint system is missing");
  return new DataView(section.buffer, section.byteOffset, section.byteLength);
}
