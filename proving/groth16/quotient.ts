/**
 * The quotient's part of a Groth16 proof: A·B − C on the odd points of the domain of twice the size. One proof's
 * transforms run on one thread without meeting the others: with a proof for each core no core waits.
 */
import type { ThreadTask, WasmCurve } from "ffjavascript";
import { MONTGOMERY_RADIX, SCALAR_BYTES, writeScalar } from "../curve/bn254.ts";
import type { Curve } from "../curve/curve.ts";
import { invert, multiply } from "../../protocol/field.ts";
import type { ProvingKey } from "./proving-key.ts";
import { rootOfUnity } from "./qap.ts";

const COEFFICIENT_BYTES = 12 + SCALAR_BYTES;
/** Variables of the engine's task. */
const VAR = { coefficients: 0, witness: 1, a: 2, b: 3, c: 4, constants: 5 } as const;
const ROW_VARS = [VAR.a, VAR.b, VAR.c] as const;

/**
 * Scalars of the key's H bases for this witness, 32-byte little-endian words.
 * @param witness all wires, 32-byte little-endian words
 */
export async function quotientScalars(curve: Curve, key: ProvingKey, witness: Uint8Array): Promise<Uint8Array> {
  const { kernel } = curve;
  if (kernel === undefined) return quotientOnEngine(curve, key, witness);
  const bytes = key.domainSize * SCALAR_BYTES;
  const [a, b, c] = await curve.tm.queueAction([
    ...evaluateRows(key, witness),
    ...ROW_VARS.map((variable, out): ThreadTask => ({ cmd: "GET", out, var: variable, len: bytes })),
  ]);
  return kernel.run({ a: a!, b: b!, c: c!, root: rootOfUnity(Math.log2(key.domainSize) + 1) });
}

/** The same on one of the engine's threads alone: several times slower, and on every platform. */
export async function quotientOnEngine(curve: WasmCurve, key: ProvingKey, witness: Uint8Array): Promise<Uint8Array> {
  const size = { val: key.domainSize };
  const bits = { val: Math.log2(key.domainSize) };
  // The inverse transform's division by the size is left to the factors that move to the odd points.
  const factors = montgomery([1n, invert(BigInt(key.domainSize)), rootOfUnity(bits.val + 1)]);
  const [one, first, shift] = [0, 1, 2].map((index) => ({ var: VAR.constants, offset: index * SCALAR_BYTES }));
  const [scalars] = await curve.tm.queueAction([
    ...evaluateRows(key, witness),
    { cmd: "ALLOCSET", var: VAR.constants, buff: factors },
    ...ROW_VARS.flatMap((variable) => [
      call("frm_rawfft", at(variable), bits, { val: 1 }, one),
      call("frm_batchApplyKey", at(variable), size, first, shift, at(variable)),
      call("frm_rawfft", at(variable), bits, { val: 0 }, one),
    ]),
    call("qap_joinABC", at(VAR.a), at(VAR.b), at(VAR.c), size, at(VAR.a)),
    call("frm_batchFromMontgomery", at(VAR.a), size, at(VAR.a)),
    { cmd: "GET", out: 0, var: VAR.a, len: key.domainSize * SCALAR_BYTES },
  ]);
  return scalars!;
}

/** Leaves A∘w, B∘w and their product by row in the task's variables, in Montgomery form. */
function evaluateRows({ coefficients, domainSize, wireCount }: ProvingKey, witness: Uint8Array): ThreadTask[] {
  const [count, rows, none] = [{ val: coefficients.length / COEFFICIENT_BYTES }, { val: domainSize }, { val: 0 }];
  return [
    { cmd: "ALLOCSET", var: VAR.coefficients, buff: coefficients },
    { cmd: "ALLOCSET", var: VAR.witness, buff: witness },
    ...ROW_VARS.map((variable): ThreadTask => ({ cmd: "ALLOC", var: variable, len: domainSize * SCALAR_BYTES })),
    call("qap_buildABC", at(VAR.coefficients), count, at(VAR.witness), ...ROW_VARS.map(at), none, rows, none, {
      val: wireCount,
    }),
  ];
}

function at(variable: number): { readonly var: number } {
  return { var: variable };
}

function call(fnName: string, ...params: readonly unknown[]): ThreadTask {
  return { cmd: "CALL", fnName, params };
}

function montgomery(values: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(values.length * SCALAR_BYTES);
  const view = new DataView(bytes.buffer);
  values.forEach((value, k) => writeScalar(view, k * SCALAR_BYTES, multiply(value, MONTGOMERY_RADIX)));
  return bytes;
}
