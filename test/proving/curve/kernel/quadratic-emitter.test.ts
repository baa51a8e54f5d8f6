import assert from "node:assert/strict";
import { bn254 } from "@noble/curves/bn254.js";
import { describe, it } from "mocha";
import { balancedLimbs, FieldEmitter, LIMBS } from "../../../../proving/curve/kernel/field-emitter.ts";
import type { Element } from "../../../../proving/curve/kernel/field-emitter.ts";
import { compileKernel, KernelMemory } from "../../../../proving/curve/kernel/kernel-memory.ts";
import { PointMemory } from "../../../../proving/curve/kernel/point-memory.ts";
import { BASE_FIELD_ORDER as P, pointModule } from "../../../../proving/curve/kernel/point-module.ts";
import { QuadraticEmitter } from "../../../../proving/curve/kernel/quadratic-emitter.ts";
import { loadTwins, storeTwins, TWIN_BYTES } from "../../../../proving/curve/kernel/twin-code.ts";
import { encodeModule, FunctionBuilder } from "../../../../proving/curve/kernel/wasm-encoder.ts";
import { seededRandom } from "../../../support/random.ts";

const SEED = "quadratic emitter";
const RADIX = 2n ** 255n;
const { Fp2 } = bn254.fields;

/** c0 and c1, by limbs. */
type Limbs = readonly [readonly number[], readonly number[]];
type Complex = readonly [bigint, bigint];
type Operation = (out: number, a: number, b: number) => void;

const valueOf = (limbs: readonly number[]): bigint =>
  limbs.reduceRight((value, limb) => (value << 51n) + BigInt(limb), 0n);
const modulo = (value: bigint): bigint => ((value % P) + P) % P;
const magnitude = (value: bigint): bigint => (value < 0n ? -value : value);

function testModule(): KernelMemory<Readonly<Record<"multiply" | "square" | "reduce", Operation>>> {
  const base = new FieldEmitter(P, 0);
  const field = new QuadraticEmitter(base);
  const emit = (name: string, result: (f: FunctionBuilder, a: Element, b: Element) => Element): FunctionBuilder => {
    const f = new FunctionBuilder(name, ["i32", "i32", "i32"]);
    const [a, b] = [1, 2].map((index) => loadTwins(f, f.parameter(index), 2 * LIMBS)) as [Element, Element];
    storeTwins(f, f.parameter(0), result(f, a, b));
    return f;
  };
  const functions = [
    emit("multiply", (f, a, b) => field.multiply(f, a, b)),
    emit("square", (f, a) => field.square(f, a)),
    emit("reduce", (f, a) => field.reduce(f, a)),
  ];
  return new KernelMemory(compileKernel({ code: encodeModule(functions), constants: base.constantBytes }), P);
}

describe("quadratic extension's arithmetic of the kernel", () => {
  const kernel = testModule();
  const [a, b, out] = [0, 1, 2].map(() => kernel.allocate(2 * TWIN_BYTES)) as [number, number, number];
  const put = (address: number, lanes: readonly Limbs[]): void =>
    lanes.forEach((components, lane) =>
      components.flat().forEach((limb, i) => (kernel.floats[address / 8 + 2 * i + lane] = limb)),
    );
  const taken = (lane: number): Limbs => {
    const limbs = Array.from({ length: 2 * LIMBS }, (_, i) => kernel.floats[out / 8 + 2 * i + lane]!);
    return [limbs.slice(0, LIMBS), limbs.slice(LIMBS)];
  };
  const numbers = ([c0, c1]: Limbs): Complex => [valueOf(c0), valueOf(c1)];
  const product = ([a0, a1]: Complex, [b0, b1]: Complex): Complex => [a0 * b0 - a1 * b1, a0 * b1 + a1 * b0];
  const largest = (limbs: Limbs): bigint =>
    numbers(limbs)
      .map(magnitude)
      .reduce((x, y) => (x > y ? x : y));

  /** Checks residues, limbs and, in multiples of p, |result| <= growth·|a|·|b| + 1/2. */
  const checkLane = (lane: number, left: Limbs, right: Limbs, growth: number): void => {
    const result = taken(lane);
    assert.deepEqual(
      numbers(result).map((value) => modulo(value * RADIX)),
      product(numbers(left), numbers(right)).map(modulo),
      `lane ${lane}, seed ${SEED}`,
    );
    for (const limb of result.flatMap((limbs) => limbs.slice(0, -1)))
      assert.ok(Math.abs(limb) <= 2 ** 50, "a limb is too large");
    const bound = (BigInt(growth) * largest(left) * largest(right)) / RADIX + P / 2n + 2n ** 210n;
    assert.ok(largest(result) <= bound, "a product is too large");
  };

  const ends = (edge: number): number[][] => [
    [0, 0, 0, 0, 0],
    [edge, edge, edge, edge, edge / 2],
    [-edge, -edge, -edge, -edge, -edge / 2],
    [edge, -edge, edge, -edge, edge / 2],
    [1 - edge, edge - 1, 1 - edge, edge - 1, -edge / 2],
    balancedLimbs(P),
    balancedLimbs(-P),
    balancedLimbs(P / 2n + 1n),
    balancedLimbs(P - 1n),
  ];
  const pairsOf = (components: readonly (readonly number[])[]): Limbs[] =>
    components.flatMap((c0) => components.map((c1) => [c0, c1] as const));

  it("multiplies limbs at the ends of their range", () => {
    const inputs = pairsOf(ends(2 ** 51));
    for (const left of inputs) {
      for (const right of inputs) {
        put(a, [left, right]);
        put(b, [right, left]);
        kernel.exports.multiply(out, a, b);
        for (const lane of [0, 1]) checkLane(lane, left, right, 2);
      }
    }
  });

  it("squares results at the ends of their range", () => {
    for (const input of pairsOf(ends(2 ** 50))) {
      put(a, [input, input]);
      kernel.exports.square(out, a, a);
      for (const lane of [0, 1]) checkLane(lane, input, input, 4);
    }
  });

  it("multiplies and squares random limbs of the whole range", () => {
    const random = seededRandom(SEED);
    const limbsOf = (bits: number): number[] =>
      Array.from(new BigInt64Array(random(8 * LIMBS).slice().buffer), (word, i) =>
        Number(BigInt.asIntN(bits + (i === LIMBS - 1 ? 0 : 1), word)),
      );
    for (let k = 0; k < 2000; k++) {
      const [left, right, small] = [51, 51, 50].map((bits): Limbs => [limbsOf(bits), limbsOf(bits)]) as [
        Limbs,
        Limbs,
        Limbs,
      ];
      put(a, [left, right]);
      put(b, [right, left]);
      kernel.exports.multiply(out, a, b);
      for (const lane of [0, 1]) checkLane(lane, left, right, 2);
      put(a, [small, small]);
      kernel.exports.square(out, a, a);
      for (const lane of [0, 1]) checkLane(lane, small, small, 4);
    }
  });

  it("stays small and exact in a long product of differences, as a batch makes it", () => {
    const random = seededRandom(SEED);
    let expected: Complex = [modulo(RADIX), 0n];
    const inverse = Fp2.inv({ c0: modulo(RADIX), c1: 0n }).c0;
    let running: Limbs = [balancedLimbs(expected[0]), balancedLimbs(0n)];
    for (let k = 0; k < 3000; k++) {
      // The largest difference of two reduced elements, and random ones.
      const drawn = (): bigint => {
        const value = modulo(
          new BigUint64Array(random(32).slice().buffer).reduce((sum, word) => (sum << 64n) + word, 0n),
        );
        return value - (k % 2 === 0 ? P / 2n : 0n);
      };
      const factor: Complex = k % 3 === 0 ? [P - 1n, -P + 1n] : [drawn(), drawn()];
      const limbs: Limbs = [balancedLimbs(factor[0]), balancedLimbs(factor[1])];
      put(a, [running, running]);
      put(b, [limbs, limbs]);
      kernel.exports.multiply(out, a, b);
      expected = product(expected, factor).map((value) => modulo(value * inverse)) as unknown as Complex;
      running = taken(0);
      assert.deepEqual(numbers(running).map(modulo), expected, `factor ${k}, seed ${SEED}`);
      assert.ok(largest(running) * 100n <= 205n * P, "the product grew");
    }
  });

  it("inverts both lanes as noble-curves does, and takes zero to zero", () => {
    const points = new PointMemory(compileKernel(pointModule("G2")), "G2");
    const [value, result] = [points.allocate(points.twinBytes), points.allocate(points.twinBytes)];
    const one = modulo(RADIX);
    for (const [c0, c1] of [
      [1n, 0n],
      [0n, 1n],
      [P - 1n, 5n],
      [7n, P - 9n],
      [P / 2n, P / 3n],
    ] as const) {
      points.floats.fill(0, value / 8, (value + points.twinBytes) / 8);
      [c0, c1].forEach((component, k) =>
        balancedLimbs(modulo(component * one)).forEach(
          (limb, i) => (points.floats[(value + k * TWIN_BYTES) / 8 + 2 * i] = limb),
        ),
      );
      points.invert(result, value);
      const inverse = Fp2.inv({ c0, c1 });
      assert.equal(points.residue(result, 0), modulo(inverse.c0 * one));
      assert.equal(points.residue(result + TWIN_BYTES, 0), modulo(inverse.c1 * one));
      assert.ok(points.isZeroLane(result, 1));
      assert.ok(!points.isZeroLane(result, 0));
    }
  });
});
