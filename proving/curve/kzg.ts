/** KZG commitments over powers of tau (Kate, Zaverucha, Goldberg, ASIACRYPT 2010) in WebAssembly. */
import { VerisumError } from "../../protocol/errors.ts";
import { G1_INFINITY, G1_GENERATOR, G2_GENERATOR, negateG1, pairingProductIsOne } from "../../protocol/points.ts";
import type { G2 } from "../../protocol/points.ts";
import type { VectorCommitter } from "../../protocol/ports.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { encodeScalars, G1_BYTES, g1FromEngine } from "./bn254.ts";
import type { Curve } from "./curve.ts";
import { multiExponentiation } from "./multi-exponentiation.ts";
import { openPointAdder } from "./point-adder.ts";

/** Bytes of the random weights of the consistency check: it errs with probability 2^-128. */
const WEIGHT_BYTES = 16;

/**
 * A committer for vectors of up to as many elements as there are powers.
 * @param powers [tau^i]_1, affine points in the engine's bytes
 */
export function kzgCommitter(curve: Curve, powers: Uint8Array): VectorCommitter {
  const capacity = powers.length / G1_BYTES;
  return {
    capacity,
    async commit(elements) {
      if (elements.length > capacity) {
        throw new VerisumError(
          "ENCODING_LENGTH",
          `the keys commit to at most ${capacity} elements, not ${elements.length}`,
          { capacity, elements: elements.length },
        );
      }
      if (elements.length === 0) return G1_INFINITY;
      return g1FromEngine(
        curve,
        await multiExponentiation(curve, powers.subarray(0, elements.length * G1_BYTES), encodeScalars(elements)),
      );
    },
  };
}

/**
 * True if the points are the powers of one tau, the one in `tau2`, starting from the generator:
 * e(Σ ρ_i·P_{i+1}, G2) = e(Σ ρ_i·P_i, tau2) for random ρ_i, which holds for other points with probability 2^-128.
 */
export async function powersAreConsistent(
  curve: Curve,
  powers: Uint8Array,
  tau2: G2,
  random: RandomBytes,
): Promise<boolean> {
  const count = powers.length / G1_BYTES;
  if (!Number.isInteger(count) || count < 1) return false;
  const first = g1FromEngine(curve, powers.slice(0, G1_BYTES));
  if (first.x !== G1_GENERATOR.x || first.y !== G1_GENERATOR.y) return false;
  if (!(await openPointAdder()).areProperPoints(powers)) return false;
  if (count === 1) return true;
  const weights = random((count - 1) * WEIGHT_BYTES);
  const [lower, upper] = await Promise.all([
    multiExponentiation(curve, powers.subarray(0, (count - 1) * G1_BYTES), weights),
    multiExponentiation(curve, powers.subarray(G1_BYTES), weights),
  ]);
  return pairingProductIsOne([
    { g1: g1FromEngine(curve, upper), g2: G2_GENERATOR },
    { g1: negateG1(g1FromEngine(curve, lower)), g2: tau2 },
  ]);
}
