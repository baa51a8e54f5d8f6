import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import { composedEpsilon, noiseMultiplierFor, renyiDivergence } from "../../../protocol/privacy/rdp-accountant.ts";
import { throwsCode } from "../../support/errors.ts";

interface Row {
  readonly sigma: number;
  readonly q: number;
  readonly steps: number;
  readonly delta: number;
  readonly epsilon: number;
}

const referencePath = join(process.env["VECTORS_DIR"] ?? "../shared/vectors", "dp-epsilon-reference.json");

const epsilonOf = ({ sigma, q, steps, delta }: Row): number =>
  composedEpsilon([{ noiseMultiplier: sigma, samplingRate: q, steps }], delta).epsilon;

/** log E[((1−q) + q·p(x−1)/p(x))^order] / (order − 1) over x ~ N(0, sigma²), by the trapezoid rule. */
function divergenceByIntegration(sigma: number, q: number, order: number): number {
  const step = sigma / 1000;
  let moment = 0;
  for (let x = -12 * sigma; x <= order + 12 * sigma; x += step) {
    const density = Math.exp(-(x * x) / (2 * sigma ** 2)) / (sigma * Math.sqrt(2 * Math.PI));
    moment += density * (1 - q + q * Math.exp((2 * x - 1) / (2 * sigma ** 2))) ** order * step;
  }
  return Math.log(moment) / (order - 1);
}

describe("RDP accountant", () => {
  it("agrees with the reference accountant within 0.1 % and never reports less than the PLD value", function () {
    if (!existsSync(referencePath)) this.skip();
    const reference = JSON.parse(readFileSync(referencePath, "utf8")) as {
      rdp_poisson_gaussian: Row[];
      pld_poisson_gaussian: Row[];
    };
    assert.ok(reference.rdp_poisson_gaussian.length > 100);
    for (const row of reference.rdp_poisson_gaussian) {
      assert.ok(
        Math.abs(epsilonOf(row) - row.epsilon) <= 1e-3 * row.epsilon,
        `${JSON.stringify(row)}: ${epsilonOf(row)}`,
      );
    }
    for (const row of reference.pld_poisson_gaussian) {
      assert.ok(epsilonOf(row) >= row.epsilon * (1 - 1e-9), `${JSON.stringify(row)}: ${epsilonOf(row)}`);
    }
  });

  it("is the plain Gaussian mechanism's bound without subsampling", () => {
    assert.equal(renyiDivergence({ noiseMultiplier: 2, samplingRate: 1 }, 8), 1);
  });

  for (const [sigma, q] of [
    [1.3, 0.3],
    [3, 0.5],
    [0.7, 0.01],
  ] as const) {
    it(`is the definition's integral at integer orders and not below it at others, sigma ${sigma}, q ${q}`, () => {
      for (const order of [1.5, 2, 4.7, 7, 10.3]) {
        const expected = divergenceByIntegration(sigma, q, order);
        const actual = renyiDivergence({ noiseMultiplier: sigma, samplingRate: q }, order);
        assert.ok(actual >= expected * (1 - 1e-8), `order ${order}: ${actual}, ${expected}`);
        if (Number.isInteger(order))
          assert.ok(actual <= expected * (1 + 1e-8), `order ${order}: ${actual}, ${expected}`);
      }
    });
  }

  it("grows with steps and rate, falls with noise and delta", () => {
    const base = { sigma: 1.5, q: 0.1, steps: 100, delta: 1e-5, epsilon: 0 };
    const epsilon = epsilonOf(base);
    assert.ok(epsilonOf({ ...base, steps: 101 }) > epsilon);
    assert.ok(epsilonOf({ ...base, q: 0.11 }) > epsilon);
    assert.ok(epsilonOf({ ...base, sigma: 1.6 }) < epsilon);
    assert.ok(epsilonOf({ ...base, delta: 1e-4 }) < epsilon);
  });

  it("composes a split run to the same epsilon as one run", () => {
    const run = { noiseMultiplier: 3.16, samplingRate: 0.1 };
    const whole = composedEpsilon([{ ...run, steps: 400 }], 1e-5);
    const split = composedEpsilon(
      [
        { ...run, steps: 80 },
        { ...run, steps: 320 },
      ],
      1e-5,
    );
    assert.ok(Math.abs(whole.epsilon - split.epsilon) < 1e-9);
    assert.equal(composedEpsilon([], 1e-5).epsilon, 0);
  });

  it("finds a noise multiplier that keeps to epsilon", () => {
    const run = { samplingRate: 0.1, steps: 400 };
    const noiseMultiplier = noiseMultiplierFor(3, 1e-5, run);
    assert.ok(composedEpsilon([{ ...run, noiseMultiplier }], 1e-5).epsilon <= 3);
    assert.ok(composedEpsilon([{ ...run, noiseMultiplier: noiseMultiplier * 0.99 }], 1e-5).epsilon > 3);
    assert.ok(Math.abs(noiseMultiplier - 3.16) < 0.05, `${noiseMultiplier}`);
  });

  it("counts a sampler's distance in delta as (1 + e^epsilon) times it", () => {
    const run = { noiseMultiplier: 3.16, samplingRate: 0.1, steps: 400 };
    const { epsilon } = composedEpsilon([run], 1e-5, 1e-7);
    assert.ok(Math.abs(epsilon - composedEpsilon([run], 1e-5 - (1 + Math.exp(epsilon)) * 1e-7).epsilon) < 1e-9);
    assert.ok(epsilon > composedEpsilon([run], 1e-5).epsilon * 1.01);
    assert.equal(composedEpsilon([run], 1e-5, 6e-6).epsilon, Infinity);
    const noiseMultiplier = noiseMultiplierFor(3, 1e-5, run, 1e-7);
    assert.ok(composedEpsilon([{ ...run, noiseMultiplier }], 1e-5, 1e-7).epsilon <= 3);
    assert.ok(composedEpsilon([{ ...run, noiseMultiplier: noiseMultiplier * 0.99 }], 1e-5, 1e-7).epsilon > 3);
    for (const wrong of [-1e-9, NaN])
      throwsCode(() => composedEpsilon([run], 1e-5, wrong), "PRIVACY_PARAMETERS_INVALID");
  });

  it("refuses parameters outside its range", () => {
    const good = { noiseMultiplier: 1, samplingRate: 0.1, steps: 10 };
    for (const change of [
      { noiseMultiplier: 0 },
      { noiseMultiplier: NaN },
      { samplingRate: 0 },
      { samplingRate: 1.01 },
      { steps: 1.5 },
      { steps: -1 },
    ]) {
      throwsCode(() => composedEpsilon([{ ...good, ...change }], 1e-5), "PRIVACY_PARAMETERS_INVALID");
    }
    for (const delta of [0, 1, -1, NaN]) throwsCode(() => composedEpsilon([good], delta), "PRIVACY_PARAMETERS_INVALID");
  });
});
