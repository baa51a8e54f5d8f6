/**
 * The quotient's part of a Groth16 proof: A·B − C on the odd points of the domain of twice the size. One proof's transforms run
 * on one thread without meeting the others: with a proof for each core no core waits, and only the scalars cross threads.
 */
import type { ThreadTask, WasmCurve } from "ffjavascript";
import { MONTGOMERY_RADIX, SCALAR_BYTES, writeScalar } from "../curve/bn254.ts";
import { invert, multiply } from "../../protocol/field.ts";
import type { ProvingKey } from "./proving-key.ts";
import { rootOfUnity } from "./qap.ts";

const COEFFICIENT_BYTES = 12 + SCALAR_BYTES;
/** Variables of the task. */
const VAR = { coefficients: 0, witness: 1, a: 2, b: 3, c: 4, constants: 5 } as const;

/**
 * Scalars of the key's H bases for this witness, 32-byte little-endian words.
 * @param witness all wires, 32-byte little-endian words
 */
export async function quotientScalars(curve: WasmCurve, key: ProvingKey, witness: Uint8Array): Promise<Uint8Array> {
  const { coefficients, domainSize, wireCount } = key;
  const bytes = domainSize * SCALAR_BYTES;
  const bits = Math.log2(domainSize);
  const at = (variable: number, index = 0): { readonly var: number; readonly offset: number } => ({ var: variable, offset: index * SCALAR_BYTES });
  const size = { val: domainSize };
  const call = (fnName: string, ...params: readonly unknown[]): ThreadTask => ({ cmd: "CALL", fnName, params });
  // The inverse transform's division by the size is left to the factors that move to the odd points.
  const [one, first, shift] = [0, 1, 2].map((index) => at(VAR.constants, index));
  const toOddPoints = (variable: number): ThreadTask[] => [
    call("frm_rawfft", at(variable), { val: bits }, { val: 1 }, one),
    call("frm_batchApplyKey", at(variable), size, first, shift, at(variable)),
    call("frm_rawfft", at(variable), { val: bits }, { val: 0 }, one),
  ];
  const [scalars] = await curve.tm.queueAction([
    { cmd: "ALLOCSET", var: VAR.coefficients, buff: coefficients },
    { cmd: "ALLOCSET", var: VAR.witness, buff: witness },
    ...[VAR.a, VAR.b, VAR.c].map((variable): ThreadTask => ({ cmd: "ALLOC", var: variable, len: bytes })),
    { cmd: "ALLOCSET", var: VAR.constants, buff: montgomery([1n, invert(BigInt(domainSize)), rootOfUnity(bits + 1)]) },
    call(
      "qap_buildABC",
      ...[at(VAR.coefficients), { val: coefficients.length / COEFFICIENT_BYTES }, at(VAR.witness), at(VAR.a), at(VAR.b), at(VAR.c)],
      ...[{ val: 0 }, size, { val: 0 }, { val: wireCount }],
    ),
    ...[VAR.a, VAR.b, VAR.c].flatMap(toOddPoints),
    call("qap_joinABC", at(VAR.a), at(VAR.b), at(VAR.c), size, at(VAR.a)),
    call("frm_batchFromMontgomery", at(VAR.a), size, at(VAR.a)),
    { cmd: "GET", out: 0, var: VAR.a, len: bytes },
  ]);
  return scalars!;
}

function montgomery(values: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(values.length * SCALAR_BYTES);
  const view = new DataView(bytes.buffer);
  values.forEach((value, k) => writeScalar(view, k * SCALAR_BYTES, multiply(value, MONTGOMERY_RADIX)));
  return bytes;
}
