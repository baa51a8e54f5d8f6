import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import { pldEpsilon, tightEpsilon } from "../../../protocol/privacy/pld-accountant.ts";
import { stepLoss } from "../../../protocol/privacy/privacy-loss.ts";
import { composedEpsilon } from "../../../protocol/privacy/rdp-accountant.ts";
import { throwsCode } from "../../support/errors.ts";

interface Row {
  readonly sigma: number;
  readonly q: number;
  readonly steps: number;
  readonly delta: number;
  readonly epsilon: number;
}

const referencePath = join(process.env["VECTORS_DIR"] ?? "../shared/vectors", "dp-epsilon-reference.json");

const epsilonOf = (noiseMultiplier: number, samplingRate: number, steps: number, delta = 1e-5): number =>
  pldEpsilon({ noiseMultiplier, samplingRate, steps }, delta).epsilon;

/**
 * Masses of the standard Gaussian above −14, −14 + h, … 14, by the trapezoid rule with its first correction, summed
 * from the far end.
 */
const TAIL_SPACING = 1e-3;
const TAILS = new Float64Array(28_001);
for (let i = TAILS.length - 2; i >= 0; i--) {
  const [left, right] = [-14 + i * TAIL_SPACING, -14 + (i + 1) * TAIL_SPACING];
  const [low, high] = [Math.exp(-(left * left) / 2), Math.exp(-(right * right) / 2)];
  TAILS[i] =
    TAILS[i + 1]! +
    ((low + high) / 2 + (TAIL_SPACING / 12) * (right * high - left * low)) * (TAIL_SPACING / Math.sqrt(2 * Math.PI));
}

function tail(x: number): number {
  const at = (Math.max(-14, Math.min(13.99, x)) + 14) / TAIL_SPACING;
  const i = Math.floor(at);
  // The logarithm is almost a parabola and hence almost linear between two points.
  return TAILS[i]! * (TAILS[i + 1]! / TAILS[i]!) ** (at - i);
}

/** The definition of delta for removal in one step. */
function exactDelta(sigma: number, q: number, epsilon: number): number {
  const ratio = (Math.exp(epsilon) - 1 + q) / q;
  if (ratio <= 0) return -Math.expm1(epsilon);
  const z = sigma ** 2 * Math.log(ratio) + 0.5;
  return (1 - q) * tail(z / sigma) + q * tail((z - 1) / sigma) - Math.exp(epsilon) * tail(z / sigma);
}

/**
 * The same for two steps: the second step's delta at what the first leaves of epsilon, over all outcomes of the first.
 */
function exactDeltaOfTwo(sigma: number, q: number, epsilon: number): number {
  const step = sigma / 100;
  let sum = 0;
  for (let z = -9 * sigma; z < 1 + 9 * sigma; z += step) {
    const ratio = 1 - q + q * Math.exp((2 * z - 1) / (2 * sigma ** 2));
    sum += ratio * Math.exp(-(z * z) / (2 * sigma ** 2)) * exactDelta(sigma, q, epsilon - Math.log(ratio));
  }
  return (sum * step) / (sigma * Math.sqrt(2 * Math.PI));
}

/** The epsilon at which `deltaAt` is `delta`. */
function epsilonWhere(deltaAt: (epsilon: number) => number, delta: number): number {
  let [low, high] = [0, 20];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (deltaAt(middle) > delta) low = middle;
    else high = middle;
  }
  return low;
}

const exactEpsilon = (sigma: number, q: number, delta: number): number =>
  epsilonWhere((epsilon) => exactDelta(sigma, q, epsilon), delta);

describe("PLD accountant", function () {
  this.timeout(60_000);

  /** Noise, sampling rate, steps, delta; what is known of epsilon. */
  const edges: readonly [number, number, number, number, (epsilon: number) => boolean][] = [
    [1000, 1e-4, 100, 1e-5, (epsilon) => epsilon < 1e-3],
    [1000, 1e-4, 100, 1e-9, (epsilon) => epsilon > 0 && epsilon < 1e-3],
    [1e-5, 0.5, 10, 1e-5, (epsilon) => epsilon > 1e9],
    [1e-6, 1, 1e12, 1e-5, (epsilon) => epsilon > 1e20],
    [3.16, 0.1, 400, 1e-320, (epsilon) => epsilon > 20 && epsilon < 40],
    [3.16, 0.1, 400, 1 - 1e-9, (epsilon) => epsilon === 0],
    [3.16, 1e-320, 400, 1e-5, (epsilon) => epsilon === 0],
    [1e6, 0.5, 1e6, 1e-9, (epsilon) => epsilon < 0.1],
  ];
  for (const [sigma, q, steps, delta, holds] of edges) {
    it(`answers with a finite epsilon: noise ${sigma}, q ${q}, ${steps} steps, delta ${delta}`, () => {
      const { epsilon } = tightEpsilon({ noiseMultiplier: sigma, samplingRate: q, steps }, delta);
      assert.ok(Number.isFinite(epsilon) && holds(epsilon), String(epsilon));
      const { epsilon: renyi } = composedEpsilon([{ noiseMultiplier: sigma, samplingRate: q, steps }], delta);
      assert.ok(epsilon <= renyi);
    });
  }
  for (const delta of [0, 1, 1.5, -1e-5, NaN, Infinity]) {
    it(`refuses delta ${delta}`, () =>
      throwsCode(
        () => tightEpsilon({ noiseMultiplier: 1, samplingRate: 0.1, steps: 1 }, delta),
        "PRIVACY_PARAMETERS_INVALID",
      ));
  }
  for (const samplingRate of [0, 1.0000001, -0.1, NaN, Infinity]) {
    it(`refuses sampling rate ${samplingRate}`, () =>
      throwsCode(
        () => tightEpsilon({ noiseMultiplier: 1, samplingRate, steps: 1 }, 1e-5),
        "PRIVACY_PARAMETERS_INVALID",
      ));
  }

  it("agrees with the reference accountant within 0.1 % and is never below it", function () {
    if (!existsSync(referencePath)) this.skip();
    const { pld_poisson_gaussian: rows } = JSON.parse(readFileSync(referencePath, "utf8")) as {
      pld_poisson_gaussian: Row[];
    };
    assert.equal(rows.length, 18);
    for (const { sigma, q, steps, delta, epsilon } of rows) {
      const actual = epsilonOf(sigma, q, steps, delta);
      assert.ok(
        actual >= epsilon && actual <= epsilon * (1 + 1e-3),
        `${JSON.stringify({ sigma, q, steps })}: ${actual}, ${epsilon}`,
      );
    }
  });

  for (const [sigma, q] of [
    [1, 1],
    [4, 0.1],
    [1.5, 0.1],
    [2, 0.04],
  ] as const) {
    it(`is at most 0.1 % above the exact epsilon of one step and never below it, sigma ${sigma}, rate ${q}`, () => {
      const [exact, actual] = [exactEpsilon(sigma, q, 1e-5), epsilonOf(sigma, q, 1)];
      assert.ok(actual >= exact && actual <= exact * (1 + 1e-3), `${actual}, ${exact}`);
    });
  }

  for (const [sigma, q] of [
    [1, 0.1],
    [2, 0.3],
    [0.7, 0.02],
  ] as const) {
    it(`is at most 0.1 % above the exact epsilon of two steps and never below it, sigma ${sigma}, rate ${q}`, () => {
      const [exact, actual] = [
        epsilonWhere((epsilon) => exactDeltaOfTwo(sigma, q, epsilon), 1e-5),
        epsilonOf(sigma, q, 2),
      ];
      assert.ok(actual >= exact && actual <= exact * (1 + 1e-3), `${actual}, ${exact}`);
    });
  }

  it("is the exact epsilon of one wider step when steps are not subsampled", () => {
    // Sixteen steps with standard deviation 8 tell as much as one with standard deviation 2.
    const [exact, actual] = [exactEpsilon(2, 1, 1e-6), epsilonOf(8, 1, 16, 1e-6)];
    assert.ok(actual >= exact && actual <= exact * (1 + 1e-3), `${actual}, ${exact}`);
  });

  it("is below the RDP bound at every setting in use", () => {
    for (const [noiseMultiplier, samplingRate, steps] of [
      [3.16, 0.1, 400],
      [4, 0.25, 160],
      [1, 0.01, 5000],
    ] as const) {
      const renyi = composedEpsilon([{ noiseMultiplier, samplingRate, steps }], 1e-5).epsilon;
      const actual = epsilonOf(noiseMultiplier, samplingRate, steps);
      assert.ok(actual < 0.95 * renyi && actual > 0.8 * renyi, `${actual}, ${renyi}`);
    }
  });

  it("divides each loss so that both distributions keep their mass", () => {
    for (const neighbour of ["remove", "add"] as const) {
      const { spacing, first, masses } = stepLoss({ noiseMultiplier: 0.8, samplingRate: 0.2 }, neighbour, 0.01);
      const mass = masses.reduce((sum, value) => sum + value, 0);
      const counterpart = masses.reduce((sum, value, i) => sum + value * Math.exp(-(first + i) * spacing), 0);
      assert.ok(
        Math.abs(mass - 1) < 1e-13 && Math.abs(counterpart - 1) < 1e-13,
        `${neighbour}: ${mass}, ${counterpart}`,
      );
    }
  });

  it("counts its numerical errors in delta and gives no epsilon where they exceed it", () => {
    const mechanism = { noiseMultiplier: 1, samplingRate: 0.01, steps: 5000 };
    const { numericalDelta } = pldEpsilon(mechanism, 1e-5);
    assert.ok(numericalDelta > 0 && numericalDelta < 1e-8, `${numericalDelta}`);
    assert.equal(pldEpsilon(mechanism, 1e-12).epsilon, Infinity);
    assert.equal(pldEpsilon({ ...mechanism, steps: 0 }, 1e-12).epsilon, 0);
  });

  it("grows with steps and rate, falls with noise and delta", () => {
    const epsilon = epsilonOf(1.5, 0.1, 100);
    assert.ok(epsilonOf(1.5, 0.1, 101) > epsilon);
    assert.ok(epsilonOf(1.5, 0.11, 100) > epsilon);
    assert.ok(epsilonOf(1.6, 0.1, 100) < epsilon);
    assert.ok(epsilonOf(1.5, 0.1, 100, 1e-4) < epsilon);
  });

  it("refuses parameters outside its range", () => {
    for (const [noiseMultiplier, samplingRate, steps, delta] of [
      [0, 0.1, 1, 1e-5],
      [1, 0, 1, 1e-5],
      [1, 1.1, 1, 1e-5],
      [1, 0.1, -1, 1e-5],
      [1, 0.1, 1, 0],
      [1, 0.1, 1, 1],
    ] as const) {
      throwsCode(() => pldEpsilon({ noiseMultiplier, samplingRate, steps }, delta), "PRIVACY_PARAMETERS_INVALID");
    }
  });
});
