/** What follows from a chunk's private inputs, and what they must be. */
import { VerisumError } from "../../protocol/errors.ts";
import { invertAll, toField } from "../../protocol/field.ts";
import { FIELD_ORDER, MASKS_PER_CHUNK } from "../../protocol/parameters.ts";
import type { ChunkWires } from "../../protocol/ports.ts";

/** The size of one chunk circuit. */
export interface ChunkShape {
  readonly coordinates: number;
  readonly coordinateBits: number;
}

/**
 * How often each entry of the table occurs among the rows.
 * @throws ENCODING_LENGTH, UPDATE_OVER_BOUND if a row is outside the table
 */
export function histogram(shape: ChunkShape, rows: Uint16Array): Uint16Array {
  if (rows.length !== shape.coordinates)
    throw new VerisumError("ENCODING_LENGTH", `expected ${shape.coordinates} rows, got ${rows.length}`);
  const counts = new Uint16Array(2 ** shape.coordinateBits);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (row >= counts.length)
      throw new VerisumError("UPDATE_OVER_BOUND", `row ${i} is outside the table`, { index: i });
    counts[row]!++;
  }
  return counts;
}

/** Σ count_t·(t − offset)², exact: below 2^16·2^22. */
export function squaredNorm(shape: ChunkShape, counts: Uint16Array): bigint {
  const offset = 2 ** (shape.coordinateBits - 1);
  return BigInt(counts.reduce((sum, count, row) => sum + count * (row - offset) ** 2, 0));
}

/**
 * @throws ENCODING_LENGTH, ENCODING_NOT_CANONICAL unless masks and blinder are canonical elements of the right number
 */
export function assertWires(wires: ChunkWires): void {
  if (wires.masks.length !== MASKS_PER_CHUNK)
    throw new VerisumError("ENCODING_LENGTH", `expected ${MASKS_PER_CHUNK} masks, got ${wires.masks.length}`);
  for (const value of [...wires.masks, wires.blinder]) {
    if (value < 0n || value >= FIELD_ORDER)
      throw new VerisumError("ENCODING_NOT_CANONICAL", "a mask or blinder is not a canonical field element");
  }
}

/**
 * 1/(alpha + t) for the table's entries t, from one inversion.
 * @throws WITNESS_UNSATISFIED if one of the sums is zero, of probability 2^-240
 */
export function tableInverses(shape: ChunkShape, alpha: bigint): bigint[] {
  const sums = Array.from({ length: 2 ** shape.coordinateBits }, (_, entry) => toField(alpha + BigInt(entry)));
  if (sums.includes(0n)) throw new VerisumError("WITNESS_UNSATISFIED", "alpha is minus an entry of the table");
  return invertAll(sums);
}
