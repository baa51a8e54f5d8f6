/** The quotient's part of a Groth16 proof: A·B − C on the odd points of the domain of twice the size. */
import type { ThreadTask, WasmCurve } from "ffjavascript";
import { SCALAR_BYTES } from "../curve/bn254.ts";
import type { ProvingKey } from "./proving-key.ts";

const COEFFICIENT_BYTES = 12 + SCALAR_BYTES;

/**
 * Scalars of the key's H bases for this witness, 32-byte little-endian words.
 * @param witness all wires, 32-byte little-endian words
 */
export async function quotientScalars(curve: WasmCurve, key: ProvingKey, witness: Uint8Array): Promise<Uint8Array> {
  const [a, b, c] = await evaluateRows(curve, key, witness);
  const { Fr } = curve;
  const shift = Fr.w[Math.log2(key.domainSize) + 1]!;
  const onOddPoints = async (values: Uint8Array): Promise<Uint8Array> => Fr.fft(await Fr.batchApplyKey(await Fr.ifft(values), Fr.e(1), shift));
  const [oddA, oddB, oddC] = await Promise.all([onOddPoints(a), onOddPoints(b), onOddPoints(c)]);
  const [scalars] = await inPieces(curve, key.domainSize, (start, size) => {
    const piece = (values: Uint8Array): Uint8Array => values.slice(start * SCALAR_BYTES, (start + size) * SCALAR_BYTES);
    return [
      { cmd: "ALLOCSET", var: 0, buff: piece(oddA) },
      { cmd: "ALLOCSET", var: 1, buff: piece(oddB) },
      { cmd: "ALLOCSET", var: 2, buff: piece(oddC) },
      { cmd: "ALLOC", var: 3, len: size * SCALAR_BYTES },
      { cmd: "CALL", fnName: "qap_joinABC", params: [{ var: 0 }, { var: 1 }, { var: 2 }, { val: size }, { var: 3 }] },
      { cmd: "CALL", fnName: "frm_batchFromMontgomery", params: [{ var: 3 }, { val: size }, { var: 3 }] },
      { cmd: "GET", out: 0, var: 3, len: size * SCALAR_BYTES },
    ];
  });
  return scalars!;
}

/** A∘w, B∘w and their product by row, in Montgomery form. */
async function evaluateRows(curve: WasmCurve, key: ProvingKey, witness: Uint8Array): Promise<[Uint8Array, Uint8Array, Uint8Array]> {
  const { coefficients, domainSize, wireCount } = key;
  const rows = new DataView(coefficients.buffer, coefficients.byteOffset, coefficients.byteLength);
  const count = coefficients.length / COEFFICIENT_BYTES;
  const firstOfRow = (row: number): number => {
    let [low, high] = [0, count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows.getUint32(middle * COEFFICIENT_BYTES + 4, true) < row) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const [a, b, c] = await inPieces(curve, domainSize, (start, size): ThreadTask[] => {
    const [first, last] = [firstOfRow(start), firstOfRow(start + size)];
    const bytes = size * SCALAR_BYTES;
    return [
      { cmd: "ALLOCSET", var: 0, buff: coefficients.slice(first * COEFFICIENT_BYTES, last * COEFFICIENT_BYTES) },
      { cmd: "ALLOCSET", var: 1, buff: witness },
      { cmd: "ALLOC", var: 2, len: bytes },
      { cmd: "ALLOC", var: 3, len: bytes },
      { cmd: "ALLOC", var: 4, len: bytes },
      {
        cmd: "CALL",
        fnName: "qap_buildABC",
        params: [{ var: 0 }, { val: last - first }, { var: 1 }, { var: 2 }, { var: 3 }, { var: 4 }, { val: start }, { val: size }, { val: 0 }, { val: wireCount }],
      },
      { cmd: "GET", out: 0, var: 2, len: bytes },
      { cmd: "GET", out: 1, var: 3, len: bytes },
      { cmd: "GET", out: 2, var: 4, len: bytes },
    ];
  });
  return [a!, b!, c!];
}

/** Runs a task on each thread over its piece of the rows and joins the outputs. */
async function inPieces(curve: WasmCurve, rows: number, task: (start: number, size: number) => ThreadTask[]): Promise<Uint8Array[]> {
  const threads = Math.min(curve.tm.concurrency, rows);
  const each = Math.ceil(rows / threads);
  const results = await Promise.all(
    Array.from({ length: threads }, (_, k) => k * each)
      .filter((start) => start < rows)
      .map((start) => curve.tm.queueAction(task(start, Math.min(each, rows - start)))),
  );
  return results[0]!.map((_, output) => concatenate(results.map((parts) => parts[output]!)));
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
