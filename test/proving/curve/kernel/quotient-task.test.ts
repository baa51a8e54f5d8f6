import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import type { WasmCurve } from "ffjavascript";
import { encodeScalars, MONTGOMERY_RADIX, readScalar } from "../../../../proving/curve/bn254.ts";
import { closeCurve, openCurve } from "../../../../proving/node/open-curve.ts";
import { compileKernel } from "../../../../proving/curve/kernel/kernel-memory.ts";
import { QuotientTasks } from "../../../../proving/curve/kernel/quotient-task.ts";
import { transformModule } from "../../../../proving/curve/kernel/transform-module.ts";
import { rootOfUnity } from "../../../../proving/groth16/qap.ts";
import {
  evaluatePolynomial,
  multiply,
  power,
  randomElement,
  randomElements,
  toField,
} from "../../../../protocol/field.ts";
import { FIELD_ORDER } from "../../../../protocol/parameters.ts";
import { seededRandom } from "../../../support/random.ts";

const SEED = "quotient kernel";

describe("quotient kernel", function () {
  this.timeout(60_000);
  const random = seededRandom(SEED);
  let curve: WasmCurve;
  let tasks: QuotientTasks;
  before(async () => {
    curve = await openCurve();
    tasks = new QuotientTasks(compileKernel(transformModule()));
  });
  after(closeCurve);

  const montgomery = (values: readonly bigint[]): Uint8Array =>
    encodeScalars(values.map((value) => multiply(value, MONTGOMERY_RADIX)));
  const decode = (bytes: Uint8Array): bigint[] =>
    Array.from({ length: bytes.length / 32 }, (_, i) => readScalar(new DataView(bytes.buffer), i * 32));
  const run = (rows: readonly (readonly bigint[])[], bits: number): bigint[] => {
    const [a, b, c] = rows.map(montgomery);
    return decode(tasks.run({ a: a!, b: b!, c: c!, root: rootOfUnity(bits + 1) }));
  };

  for (const bits of [1, 2, 3, 6]) {
    it(`evaluates a·b − c of ${2 ** bits} values at the odd powers`, () => {
      const root = rootOfUnity(bits + 1);
      const polynomials = Array.from({ length: 3 }, () => randomElements(2 ** bits, random));
      const at = (k: number): bigint[] =>
        polynomials.map((coefficients) => evaluatePolynomial(coefficients, power(root, BigInt(k))));
      const values = Array.from({ length: 2 ** bits }, (_, i) => at(2 * i));
      const odd = run(
        [0, 1, 2].map((k) => values.map((row) => row[k]!)),
        bits,
      );
      odd.forEach((value, i) => {
        const [a, b, c] = at(2 * i + 1) as [bigint, bigint, bigint];
        assert.equal(value, toField(a * b - c), `power ${2 * i + 1}, seed ${SEED}`);
      });
    });
  }

  const extremes: Readonly<Record<string, (i: number) => bigint>> = {
    "random ones": () => randomElement(random),
    zero: () => 0n,
    "minus one": () => FIELD_ORDER - 1n,
    "near half the order in turn": (i) => FIELD_ORDER / 2n + BigInt(i % 2),
    "both ends in turn": (i) => (i % 2 === 0 ? 0n : FIELD_ORDER - 1n),
    "one at the end": (i) => (i === 2047 ? 1n : 0n),
  };
  for (const [name, value] of Object.entries(extremes)) {
    it(`gives canonical words, as the engine's transforms do, for values: ${name}`, async () => {
      const bits = 11;
      const { Fr } = curve;
      const rows = [0, 1, 2].map(() => Array.from({ length: 2 ** bits }, (_, i) => value(i)));
      const odd = await Promise.all(
        rows.map(async (row) =>
          Fr.fft(await Fr.batchApplyKey(await Fr.ifft(montgomery(row)), Fr.e(1), Fr.w[bits + 1]!)),
        ),
      );
      const expected = Array.from({ length: 2 ** bits }, (_, i) => {
        const [a, b, c] = odd.map((values) => Fr.toObject(values.slice(i * 32, (i + 1) * 32))) as [
          bigint,
          bigint,
          bigint,
        ];
        return toField(a * b - c);
      });
      assert.deepEqual(run(rows, bits), expected, `seed ${SEED}`);
    });
  }
});
