/** [p(tau)]_1 of polynomials that are known by their values, and random weights for sums over a key's bases. */
import type { Curve } from "../curve/curve.ts";
import type { G1 } from "../../protocol/points.ts";
import { toField } from "../../protocol/field.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { encodeScalars, G1_BYTES, g1FromEngine } from "../curve/bn254.ts";
import { multiExponentiation } from "../curve/multi-exponentiation.ts";
import { rowValue } from "./r1cs.ts";
import type { ConstraintSystem, SparseMatrix } from "./r1cs.ts";

const WEIGHT_BYTES = 16;

/**
 * Commits to the polynomial of degree below 2^bits that takes these values on the roots of unity of that order.
 * @param powers [tau^i]_1 in the engine's affine bytes, 2^bits of them or more
 * @param evaluations in the order of the roots' exponents; zeros follow up to 2^bits
 */
export async function commitEvaluations(
  curve: Curve,
  powers: Uint8Array,
  bits: number,
  evaluations: readonly bigint[],
): Promise<G1> {
  const size = 2 ** bits;
  const padded = new Uint8Array(size * curve.Fr.n8);
  padded.set(encodeScalars(evaluations.map(toField)));
  const values = await curve.Fr.batchToMontgomery(padded);
  const coefficients = await curve.Fr.batchFromMontgomery(await curve.Fr.ifft(values));
  return g1FromEngine(curve, await multiExponentiation(curve, powers.subarray(0, size * G1_BYTES), coefficients));
}

/** One random number of 128 bits for each of so many wires or rows. */
export class RandomWeights {
  readonly bytes: Uint8Array;
  readonly values: readonly bigint[];

  /** @param random a CSPRNG: the weights must be unknown to whoever made what they weigh */
  constructor(count: number, random: RandomBytes) {
    this.bytes = random(count * WEIGHT_BYTES);
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    this.values = Array.from(
      { length: count },
      (_, k) => view.getBigUint64(k * WEIGHT_BYTES, true) | (view.getBigUint64(k * WEIGHT_BYTES + 8, true) << 64n),
    );
  }

  /** The weights of these wires, 16 bytes each, little-endian. */
  bytesOf(wires: Uint32Array): Uint8Array {
    const picked = new Uint8Array(wires.length * WEIGHT_BYTES);
    wires.forEach((wire, k) =>
      picked.set(this.bytes.subarray(wire * WEIGHT_BYTES, (wire + 1) * WEIGHT_BYTES), k * WEIGHT_BYTES),
    );
    return picked;
  }

  /**
   * Σ weight_i·entry_ki for each row k: the values on the domain of the weighted sum of the columns' polynomials.
   * @param withPublicRows as in the matrix A of snarkjs's program, where a row of its own follows for each public wire
   */
  byRow(matrix: SparseMatrix, system: ConstraintSystem, withPublicRows: boolean): bigint[] {
    const sums = Array.from({ length: system.constraintCount }, (_, row) => rowValue(matrix, row, this.values));
    return withPublicRows ? [...sums, ...this.values.slice(0, system.publicCount + 1)] : sums;
  }
}
