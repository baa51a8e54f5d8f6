/** KZG openings as anybody checks them (Kate, Zaverucha, Goldberg 2010). */
import { addG1, G1_GENERATOR, G2_GENERATOR, multiplyG1, negateG1, pairingProductIsOne } from "./points.ts";
import type { G1, G2 } from "./points.ts";

/**
 * True if `commitment` opens at `z` to `value`: e(C − value·G + z·W, [1]_2) = e(W, [tau]_2).
 * @throws POINT_NOT_ON_CURVE
 */
export function verifyOpening(tau: G2, commitment: G1, z: bigint, value: bigint, opening: G1): boolean {
  const shifted = addG1(addG1(commitment, negateG1(multiplyG1(G1_GENERATOR, value))), multiplyG1(opening, z));
  return pairingProductIsOne([
    { g1: shifted, g2: G2_GENERATOR },
    { g1: negateG1(opening), g2: tau },
  ]);
}
