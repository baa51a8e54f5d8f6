import assert from "node:assert/strict";
import { describe, it } from "mocha";
import fc from "fast-check";
import {
  decodeElements,
  divideByLinear,
  encodeElements,
  encodeWords,
  evaluatePolynomial,
  invert,
  invertAll,
  multiply,
  power,
  randomElement,
  randomElements,
  toField,
} from "../../protocol/field.ts";
import { FIELD_ORDER } from "../../protocol/parameters.ts";
import { throwsCode } from "../support/errors.ts";
import { check, element } from "../support/properties.ts";
import { seededRandom } from "../support/random.ts";

const r = FIELD_ORDER;

/** 32 bytes of any 256-bit value, written independently of the code under test. */
function bytesOf(value: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(value.toString(16).padStart(64, "0"), "hex"));
}

describe("field arithmetic", () => {
  it("reduces any integer to its representative", () => {
    assert.equal(toField(-1n), r - 1n);
    assert.equal(toField(-r), 0n);
    assert.equal(toField(r), 0n);
    assert.equal(toField(2n ** 300n), 2n ** 300n % r);
  });

  it("multiplies and raises like exact integers", () => {
    check(fc.tuple(element, element, fc.integer({ min: 0, max: 40 })), ([a, b, exponent]) => {
      assert.equal(multiply(a, b), (a * b) % r);
      assert.equal(power(a, BigInt(exponent)), a ** BigInt(exponent) % r);
    });
  });

  it("inverts every non-zero element, alone and in bulk", () => {
    check(
      fc.array(
        element.filter((value) => value !== 0n),
        { minLength: 1, maxLength: 20 },
      ),
      (values) => {
        const inverses = invertAll(values);
        values.forEach((value, i) => {
          assert.equal(multiply(value, inverses[i]!), 1n);
          assert.equal(invert(value), inverses[i]);
        });
      },
    );
    assert.deepEqual(invertAll([]), []);
  });

  it("refuses to invert zero, also among others", () => {
    throwsCode(() => invert(0n), "ENCODING_NOT_CANONICAL");
    throwsCode(() => invert(r), "ENCODING_NOT_CANONICAL");
    throwsCode(() => invertAll([1n, 0n, 2n]), "ENCODING_NOT_CANONICAL");
  });
});

describe("random elements", () => {
  it("reduces 48 big-endian bytes for each element, across draws", () => {
    const count = 20_001;
    const elements = randomElements(count, seededRandom("elements"));
    const bytes = seededRandom("elements")(count * 48);
    for (const i of [0, 1, 19_999, 20_000]) {
      const value = BigInt(`0x${Buffer.from(bytes.subarray(i * 48, i * 48 + 48)).toString("hex")}`);
      assert.equal(elements[i], value % r);
    }
    assert.equal(elements.length, count);
    assert.equal(new Set(elements).size, count);
    assert.equal(randomElement(seededRandom("elements")), elements[0]);
  });

  it("reads the bytes of a view that does not start at its buffer's start", () => {
    const bytes = seededRandom("view")(96);
    const padded = new Uint8Array(100);
    padded.set(bytes, 4);
    assert.deepEqual(
      randomElements(2, () => padded.subarray(4)),
      randomElements(2, () => bytes),
    );
  });
});

describe("encoding of elements", () => {
  it("round trips every canonical element", () => {
    check(fc.array(element, { maxLength: 20 }), (values) => {
      const bytes = encodeElements(values);
      assert.equal(bytes.length, 32 * values.length);
      assert.deepEqual(decodeElements(bytes, values.length), values);
    });
  });

  it("writes big-endian words", () => {
    assert.deepEqual(encodeElements([r - 1n]), bytesOf(r - 1n));
    assert.deepEqual(decodeElements(bytesOf(r - 1n), 1), [r - 1n]);
  });

  for (const [name, value] of [
    ["r", r],
    ["r + 1", r + 1n],
    ["2^255", 2n ** 255n],
    ["2^256 - 1", 2n ** 256n - 1n],
  ] as const) {
    it(`refuses ${name} on both ways`, () => {
      throwsCode(() => decodeElements(bytesOf(value), 1), "ENCODING_NOT_CANONICAL");
      throwsCode(() => encodeElements([0n, value]), "ENCODING_NOT_CANONICAL");
    });
  }

  it("refuses truncated and trailing bytes", () => {
    const bytes = encodeElements([1n, 2n]);
    throwsCode(() => decodeElements(bytes.subarray(0, 63), 2), "ENCODING_LENGTH");
    throwsCode(() => decodeElements(Uint8Array.of(...bytes, 0), 2), "ENCODING_LENGTH");
    throwsCode(() => decodeElements(bytes, 1), "ENCODING_LENGTH");
    throwsCode(() => decodeElements(bytes, 3), "ENCODING_LENGTH");
    throwsCode(() => decodeElements(new Uint8Array(0), 1), "ENCODING_LENGTH");
  });

  it("decodes a view that does not start at its buffer's start", () => {
    const padded = new Uint8Array(40);
    padded.set(bytesOf(9n), 8);
    assert.deepEqual(decodeElements(padded.subarray(8), 1), [9n]);
  });

  it("writes any 256-bit word and refuses what would collide with one", () => {
    assert.deepEqual(encodeWords([2n ** 256n - 1n]), bytesOf(2n ** 256n - 1n));
    assert.deepEqual(encodeWords([r]), bytesOf(r));
    throwsCode(() => encodeWords([2n ** 256n]), "ENCODING_NOT_CANONICAL");
    throwsCode(() => encodeWords([-1n]), "ENCODING_NOT_CANONICAL");
    throwsCode(() => encodeElements([-1n]), "ENCODING_NOT_CANONICAL");
  });
});

describe("polynomials", () => {
  it("evaluates like the sum of its terms", () => {
    check(fc.tuple(fc.array(element, { maxLength: 13 }), element), ([coefficients, z]) => {
      const expected = coefficients.reduce((sum, coefficient, e) => sum + coefficient * z ** BigInt(e), 0n) % r;
      assert.equal(evaluatePolynomial(coefficients, z), expected);
    });
  });

  it("divides by X - z with the value at z as the remainder", () => {
    check(fc.tuple(fc.array(element, { minLength: 1, maxLength: 12 }), element, element), ([coefficients, z, x]) => {
      const quotient = divideByLinear(coefficients, z);
      assert.equal(quotient.length, coefficients.length - 1);
      const right = toField(
        multiply(evaluatePolynomial(quotient, x), toField(x - z)) + evaluatePolynomial(coefficients, z),
      );
      assert.equal(evaluatePolynomial(coefficients, x), right);
    });
    assert.deepEqual(divideByLinear([], 3n), []);
    assert.deepEqual(divideByLinear([5n], 3n), []);
  });
});
