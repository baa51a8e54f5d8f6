/** Verification of KZG openings (Kate, Zaverucha, Goldberg, ASIACRYPT 2010). */
import { G1_GENERATOR, G2_GENERATOR, negateG1, pairingProductIsOne, weightedSumG1 } from "./points.ts";
import type { G1, G2 } from "./points.ts";

/**
 * True if the polynomial in `commitment` has the value `value` at `z`: e(C − value·G1 + z·W, G2) = e(W, tau).
 * @param opening W, the commitment to (p(X) − p(z))/(X − z)
 * @throws POINT_NOT_ON_CURVE
 */
export function verifyOpening(tau: G2, commitment: G1, z: bigint, value: bigint, opening: G1): boolean {
  return pairingProductIsOne([
    { g1: weightedSumG1([commitment, G1_GENERATOR, opening], [1n, -value, z]), g2: G2_GENERATOR },
    { g1: negateG1(opening), g2: tau },
  ]);
}
