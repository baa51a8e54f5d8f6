/**
 * Poseidon of two elements of Fr with the parameters of circomlib (ePrint 2019/458; t = 3, 8 full and 57 partial
 * rounds).
 */
import { Field } from "@noble/curves/abstract/modular.js";
import { grainGenConstants, poseidon } from "@noble/curves/abstract/poseidon.js";
import { FIELD_ORDER } from "./parameters.ts";

const PARAMETERS = { Fp: Field(FIELD_ORDER), t: 3, roundsFull: 8, roundsPartial: 57, sboxPower: 5 } as const;

let permutation: ReturnType<typeof poseidon> | undefined;

/** Poseidon(left, right), as `Poseidon(2)` of circomlib computes it. The constants are derived on first use. */
export function poseidonPair(left: bigint, right: bigint): bigint {
  permutation ??= poseidon({ ...PARAMETERS, ...grainGenConstants(PARAMETERS) });
  return permutation([0n, left, right])[0]!;
}
