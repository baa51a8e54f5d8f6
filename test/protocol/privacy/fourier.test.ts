import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { power, transform } from "../../../protocol/privacy/fourier.ts";
import type { Complex } from "../../../protocol/privacy/fourier.ts";

const vectorOf = (length: number): Complex => ({
  re: Float64Array.from({ length }, (_, i) => Math.sin(3 * i + 1)),
  im: Float64Array.from({ length }, (_, i) => Math.cos(i * i)),
});

function close(actual: Complex, expected: Complex, tolerance = 1e-12): void {
  for (let i = 0; i < expected.re.length; i++) {
    assert.ok(Math.hypot(actual.re[i]! - expected.re[i]!, actual.im[i]! - expected.im[i]!) < tolerance, `${i}`);
  }
}

describe("Fourier transform", () => {
  for (const length of [1, 2, 4, 8, 64]) {
    it(`is the defining sum, length ${length}`, () => {
      const { re, im } = vectorOf(length);
      const expected: Complex = { re: new Float64Array(length), im: new Float64Array(length) };
      for (let k = 0; k < length; k++) {
        for (let i = 0; i < length; i++) {
          const angle = (-2 * Math.PI * i * k) / length;
          expected.re[k]! += re[i]! * Math.cos(angle) - im[i]! * Math.sin(angle);
          expected.im[k]! += re[i]! * Math.sin(angle) + im[i]! * Math.cos(angle);
        }
      }
      const actual = vectorOf(length);
      transform(actual, false);
      close(actual, expected);
    });
  }

  it("comes back at the length in use, within its stated error", () => {
    const length = 2 ** 17;
    const actual = vectorOf(length);
    transform(actual, false);
    transform(actual, true);
    const expected = vectorOf(length);
    let [error, norm] = [0, 0];
    for (let i = 0; i < length; i++) {
      error += (actual.re[i]! - expected.re[i]!) ** 2 + (actual.im[i]! - expected.im[i]!) ** 2;
      norm += expected.re[i]! ** 2 + expected.im[i]! ** 2;
    }
    assert.ok(Math.sqrt(error / norm) < 2 * 8 * 17 * 2 ** -53);
  });

  it("composes distributions by powers: a fair coin a hundred times", () => {
    const coin: Complex = { re: new Float64Array(128), im: new Float64Array(128) };
    coin.re[0] = coin.re[1] = 0.5;
    transform(coin, false);
    power(coin, 100);
    transform(coin, true);
    let binomial = 2 ** -100;
    for (let heads = 0; heads <= 100; heads++) {
      assert.ok(Math.abs(coin.re[heads]! - binomial) < 1e-14, `${heads}`);
      binomial *= (100 - heads) / (heads + 1);
    }
  });
});
