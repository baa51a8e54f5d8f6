/** Whether points that strangers sent are in the group of order r: G2 is one of several subgroups of its curve. */
import type { WasmCurve } from "ffjavascript";
import { FIELD_ORDER } from "../../protocol/parameters.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { G2_BYTES } from "./bn254.ts";
import type { Curve } from "./curve.ts";
import { multiExponentiation } from "./multi-exponentiation.ts";

/** Smaller than the least prime (10,069) that divides the cofactor of G2: two such weights differ modulo every one. */
const WEIGHT_BITS = 13;
/** 13 bits each: a point outside of the group passes all with probability 2^-130. */
const ROUNDS = 10;

/**
 * True if points of the curve are in the group of order r. A random combination of points of which one is not is
 * multiplied to infinity by r for at most one residue of that point's weight.
 * @param points affine, in the engine's bytes, on the curve
 * @param random a CSPRNG
 */
export async function areInG2(curve: Curve, points: Uint8Array, random: RandomBytes): Promise<boolean> {
  const count = points.length / G2_BYTES;
  const mask = (1 << (WEIGHT_BITS - 8)) - 1;
  for (let round = 0; round < ROUNDS; round++) {
    const weights = random(count * 2);
    for (let k = 1; k < weights.length; k += 2) weights[k] = weights[k]! & mask;
    if (!isOfOrderR(curve, await multiExponentiation(curve, points, weights, "G2"))) return false;
  }
  return true;
}

/** r·P = 0. The engine does not reduce the scalar, which would make this true of everything; a test pins that. */
export function isOfOrderR({ G2 }: WasmCurve, point: Uint8Array): boolean {
  return G2.isZero(G2.timesScalar(point, FIELD_ORDER));
}
