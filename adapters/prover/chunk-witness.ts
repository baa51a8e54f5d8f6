/** From a chunk's private inputs to the wires of its circuit. */
import { poseidonPair } from "../../protocol/poseidon.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { invertAll, multiply, toField } from "../../protocol/field.ts";
import { FIELD_ORDER, MASKS_PER_CHUNK } from "../../protocol/parameters.ts";
import type { ChunkChallenge, ChunkWires, ChunkWitness } from "../../protocol/ports.ts";
import type { CircuitInputs } from "./circom-witness.ts";

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
  if (rows.length !== shape.coordinates) throw new VerisumError("ENCODING_LENGTH", `expected ${shape.coordinates} rows, got ${rows.length}`);
  const counts = new Uint16Array(2 ** shape.coordinateBits);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (row >= counts.length) throw new VerisumError("UPDATE_OVER_BOUND", `row ${i} is outside the table`, { index: i });
    counts[row]!++;
  }
  return counts;
}

/** Σ count_t·(t − offset)², exact: below 2^16·2^22. */
export function squaredNorm(shape: ChunkShape, counts: Uint16Array): bigint {
  const offset = 2 ** (shape.coordinateBits - 1);
  return BigInt(counts.reduce((sum, count, row) => sum + count * (row - offset) ** 2, 0));
}

/** @throws ENCODING_LENGTH, ENCODING_NOT_CANONICAL unless masks and blinder are canonical elements of the right number */
export function assertWires(wires: ChunkWires): void {
  if (wires.masks.length !== MASKS_PER_CHUNK) throw new VerisumError("ENCODING_LENGTH", `expected ${MASKS_PER_CHUNK} masks, got ${wires.masks.length}`);
  for (const value of [...wires.masks, wires.blinder]) {
    if (value < 0n || value >= FIELD_ORDER) throw new VerisumError("ENCODING_NOT_CANONICAL", "a mask or blinder is not a canonical field element");
  }
}

/**
 * The circuit's inputs by name.
 * @throws UPDATE_OVER_BOUND if the accumulated norm exceeds the bound, or a row is outside the table;
 *   WITNESS_UNSATISFIED if alpha + row = 0, of probability 2^-240
 */
export function chunkInputs(shape: ChunkShape, witness: ChunkWitness, challenge: ChunkChallenge): CircuitInputs {
  assertWires(witness);
  const counts = histogram(shape, witness.rows);
  const accumulated = witness.accumulatedBefore + squaredNorm(shape, counts);
  if (accumulated > challenge.bound) {
    throw new VerisumError("UPDATE_OVER_BOUND", "the squared norm exceeds the bound", { excess: accumulated - challenge.bound });
  }
  return {
    alpha: [challenge.alpha],
    z: [challenge.z],
    bound: [challenge.bound],
    hPrevious: [poseidonPair(witness.accumulatedBefore, witness.saltBefore)],
    row: witness.rows,
    count: counts,
    mask: witness.masks,
    blinder: [witness.blinder],
    accumulatedBefore: [witness.accumulatedBefore],
    saltBefore: [witness.saltBefore],
    salt: [witness.salt],
    ...lookupInverses(challenge.alpha, witness.rows, counts),
  };
}

/** 1/(alpha + row_i) and count_t/(alpha + t), from one inversion of the whole table. */
function lookupInverses(alpha: bigint, rows: Uint16Array, counts: Uint16Array): { readonly inverse: readonly bigint[]; readonly weighted: readonly bigint[] } {
  const sums = Array.from(counts, (_, entry) => toField(alpha + BigInt(entry)));
  if (sums.includes(0n)) throw new VerisumError("WITNESS_UNSATISFIED", "alpha is minus an entry of the table");
  const inverses = invertAll(sums);
  return { inverse: Array.from(rows, (row) => inverses[row]!), weighted: inverses.map((value, entry) => multiply(value, BigInt(counts[entry]!))) };
}
