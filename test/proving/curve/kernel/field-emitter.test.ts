import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { balancedLimbs, LIMBS } from "../../../../proving/curve/kernel/field-emitter.ts";
import { compileKernel } from "../../../../proving/curve/kernel/kernel-memory.ts";
import { PointMemory } from "../../../../proving/curve/kernel/point-memory.ts";
import { BASE_FIELD_ORDER as P, pointModule } from "../../../../proving/curve/kernel/point-module.ts";
import { TWIN_BYTES } from "../../../../proving/curve/kernel/twin-code.ts";
import { seededRandom } from "../../../support/random.ts";

const SEED = "field emitter";
const RADIX = 2n ** 255n;

describe("field arithmetic of the kernel", () => {
  const kernel = new PointMemory(compileKernel(pointModule("G1")), "G1");
  const [a, b, out] = [kernel.allocate(TWIN_BYTES), kernel.allocate(TWIN_BYTES), kernel.allocate(TWIN_BYTES)];
  const modulo = (value: bigint): bigint => ((value % P) + P) % P;
  const valueOf = (limbs: readonly number[]): bigint =>
    limbs.reduceRight((value, limb) => (value << 51n) + BigInt(limb), 0n);
  const put = (address: number, lanes: readonly (readonly number[])[]): void =>
    lanes.forEach((limbs, lane) => limbs.forEach((limb, i) => (kernel.floats[address / 8 + 2 * i + lane] = limb)));
  const taken = (lane: number): number[] =>
    Array.from({ length: LIMBS }, (_, i) => kernel.floats[out / 8 + 2 * i + lane]!);

  /** Limbs at the ends of what a difference of two results may have, and elements at the ends of theirs. */
  const edge = 2 ** 51;
  const inputs: readonly (readonly number[])[] = [
    [0, 0, 0, 0, 0],
    [1, 0, 0, 0, 0],
    [-1, 0, 0, 0, 0],
    [edge, edge, edge, edge, edge / 2],
    [-edge, -edge, -edge, -edge, -edge / 2],
    [edge, -edge, edge, -edge, edge / 2],
    [-edge + 1, edge - 1, -edge + 1, edge - 1, -edge / 2],
    [edge / 2, edge / 2, edge / 2, edge / 2, edge / 2],
    [-edge / 2, -edge / 2, -edge / 2, -edge / 2, -edge / 2],
    balancedLimbs(P),
    balancedLimbs(-P),
    balancedLimbs(P / 2n),
    balancedLimbs(P / 2n + 1n),
    balancedLimbs(P - 1n),
  ];

  const checkProduct = (left: readonly number[], right: readonly number[]): void => {
    put(a, [left, right]);
    put(b, [right, left]);
    kernel.exports.multiply(out, a, b);
    for (const lane of [0, 1]) {
      const limbs = taken(lane);
      assert.equal(
        modulo(valueOf(limbs) * RADIX),
        modulo(valueOf(left) * valueOf(right)),
        `lane ${lane}, seed ${SEED}`,
      );
      for (const limb of limbs.slice(0, -1)) assert.ok(Math.abs(limb) <= 2 ** 50, "a limb is too large");
      // |a·b|/2^255 + p/2, as the bounds say.
      const size = valueOf(left) * valueOf(right);
      const bound = (size < 0n ? -size : size) / RADIX + P / 2n + 2n ** 210n;
      assert.ok(valueOf(limbs) <= bound && valueOf(limbs) >= -bound, "a product is too large");
    }
  };

  it("multiplies limbs at the ends of their range", () => {
    for (const left of inputs) for (const right of inputs) checkProduct(left, right);
  });

  it("multiplies random limbs of the whole range", () => {
    const random = seededRandom(SEED);
    const limbsOf = (): number[] => {
      const words = new BigInt64Array(random(8 * LIMBS).slice().buffer);
      return Array.from(words, (word, i) => Number(word >> (i === LIMBS - 1 ? 13n : 12n)));
    };
    for (let k = 0; k < 3000; k++) checkProduct(limbsOf(), limbsOf());
  });

  it("squares as it multiplies, and repeats it", () => {
    for (const input of inputs.filter((limbs) => limbs.every((limb) => Math.abs(limb) <= 2 ** 50))) {
      put(a, [input, balancedLimbs(3n)]);
      let expected = modulo(valueOf(input));
      const inverse = modulo(valueOfInverse());
      for (let times = 1; times < 5; times++) {
        kernel.exports.square(out, a, times);
        expected = modulo(expected * expected * inverse);
        assert.equal(modulo(valueOf(taken(0))), expected);
      }
    }
  });

  it("inverts both lanes, and takes zero to zero", () => {
    const one = modulo(RADIX);
    put(a, [balancedLimbs(modulo(7n * one)), balancedLimbs(P)]);
    kernel.invert(out, a);
    assert.equal(modulo(kernel.residue(out, 0) * 7n), one);
    assert.equal(kernel.residue(out, 1), 0n);
  });

  it("notices if its products are wrong, as they are where a multiply-add rounds twice", () => {
    const { module, constants } = compileKernel(pointModule("G1"));
    for (let at = 0; at < constants.length; at += 16) {
      const changed = constants.slice();
      changed[at + 1]! ^= 1;
      changed[at + 9]! ^= 1;
      // Some constants are no part of a product.
      if (!new PointMemory({ module, constants: changed }, "G1").multipliesExactly()) return;
    }
    assert.fail("no constant matters");
  });

  function valueOfInverse(): bigint {
    let [power, exponent, base] = [1n, P - 2n, modulo(RADIX)];
    for (; exponent > 0n; exponent >>= 1n) {
      if ((exponent & 1n) === 1n) power = modulo(power * base);
      base = modulo(base * base);
    }
    return power;
  }
});
