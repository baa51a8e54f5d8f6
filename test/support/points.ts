/** Points that honest parties never send. For tests only. */
import { bn254 } from "@noble/curves/bn254.js";
import type { G2 } from "../../protocol/points.ts";

/** A point of G2's curve outside of the group of order r. */
export function pointOutsideG2(): G2 {
  const { Fp2 } = bn254.fields;
  const { b } = bn254.G2.Point.CURVE();
  for (let c0 = 1n; ; c0++) {
    const x = Fp2.fromBigTuple([c0, 1n]);
    try {
      const y = Fp2.sqrt(Fp2.add(Fp2.mul(Fp2.sqr(x), x), b));
      return { x: { c0: x.c0, c1: x.c1 }, y: { c0: y.c0, c1: y.c1 } };
    } catch {
      // not a square: no point has this x
    }
  }
}
