/** KZG over powers of a tau that the tests know, with one scalar multiplication per commitment. For tests only. */
import { VerisumError } from "../../protocol/errors.ts";
import { evaluatePolynomial } from "../../protocol/field.ts";
import { G1_GENERATOR, G2_GENERATOR, multiplyG1, multiplyG2 } from "../../protocol/points.ts";
import type { G2 } from "../../protocol/points.ts";
import type { VectorCommitter } from "../../protocol/ports.ts";

const KNOWN_TAU = 0x7e57_7a0n;

/** [p(tau)]_1 computed in the exponent, and how often it was asked for. */
export function knownTauCommitter(
  capacity = 100_000,
): VectorCommitter & { readonly tau: G2; readonly calls: () => number } {
  let calls = 0;
  return {
    capacity,
    tau: multiplyG2(G2_GENERATOR, KNOWN_TAU),
    calls: () => calls,
    commit: async (elements) => {
      calls++;
      if (elements.length > capacity)
        throw new VerisumError("ENCODING_LENGTH", `capacity is ${capacity}`, { capacity });
      return multiplyG1(G1_GENERATOR, evaluatePolynomial(elements, KNOWN_TAU));
    },
  };
}
