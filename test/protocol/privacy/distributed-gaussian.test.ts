import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import {
  clientLevelEpsilon,
  noiseVarianceFor,
  skellamDivergence,
  sumDistance,
} from "../../../protocol/privacy/distributed-gaussian.ts";
import type { DistributedNoise } from "../../../protocol/privacy/distributed-gaussian.ts";
import { throwsCode } from "../../support/errors.ts";

interface Row {
  readonly gamma: number;
  readonly local_stddev: number;
  readonly num_clients: number;
  readonly l2_clip: number;
  readonly dim: number;
  readonly steps: number;
  readonly delta: number;
  readonly epsilon: number;
}

const referencePath = join(process.env["VECTORS_DIR"] ?? "../shared/vectors", "dp-epsilon-reference.json");
const exactly = (clients: number): DistributedNoise["honestClients"] => ({ least: clients, most: clients });
const base: DistributedNoise = {
  noiseStdDevSteps: 100,
  honestClients: exactly(100),
  l2SensitivitySteps: 520,
  dimension: 650,
  rounds: 1,
};

/**
 * By definition: the distance of a sum's probabilities from the discrete Gaussian's, as the largest |ln ratio| near the
 * centre.
 */
function largestLogRatio(stdDev: number): number {
  const reach = 60;
  const weights = (variance: number): number[] => {
    const raw = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * variance)));
    const total = raw.reduce((a, b) => a + b, 0);
    return raw.map((weight) => weight / total);
  };
  const [one, wide] = [weights(stdDev ** 2), weights(2 * stdDev ** 2)];
  let largest = 0;
  for (let x = -5; x <= 5; x++) {
    let sum = 0;
    for (let i = -reach; i <= reach; i++) sum += (one[i + reach] ?? 0) * (one[x - i + reach] ?? 0);
    largest = Math.max(largest, Math.abs(Math.log(sum / wide[x + reach]!)));
  }
  return largest;
}

describe("distributed discrete Gaussian accountant", () => {
  it("agrees with the reference accountant within 0.1 %", function () {
    if (!existsSync(referencePath)) this.skip();
    const { ddgauss_rdp: rows } = JSON.parse(readFileSync(referencePath, "utf8")) as { ddgauss_rdp: Row[] };
    assert.equal(rows.length, 27);
    for (const row of rows) {
      // With beta = e^−1/2, the square root in the bound on rounded norms is one.
      const clip = row.l2_clip / row.gamma;
      const l2SensitivitySteps = Math.sqrt(
        Math.min((clip + Math.sqrt(row.dim)) ** 2, clip ** 2 + row.dim / 4 + clip + Math.sqrt(row.dim) / 2),
      );
      const noise = {
        noiseStdDevSteps: row.local_stddev / row.gamma,
        honestClients: exactly(row.num_clients),
        l2SensitivitySteps,
        dimension: row.dim,
        rounds: row.steps,
      };
      const { epsilon } = clientLevelEpsilon(noise, row.delta);
      assert.ok(Math.abs(epsilon - row.epsilon) <= 1e-3 * row.epsilon, `${JSON.stringify(row)}: ${epsilon}`);
    }
  });

  it("bounds the distance between a sum of two discrete Gaussians and one, by brute force", () => {
    for (const stdDev of [0.5, 0.7, 1, 1.2]) {
      const [bound, actual] = [sumDistance(stdDev, 2), largestLogRatio(stdDev)];
      assert.ok(actual > 0 && actual <= bound, `${stdDev}: ${actual}, ${bound}`);
    }
    assert.ok(sumDistance(3, 256) < 1e-30);
  });

  it("takes the worst number of honest clients: the fewest where sums are close to Gaussian, the most where they are not", () => {
    const range = { least: 10, most: 256 };
    assert.equal(clientLevelEpsilon({ ...base, honestClients: range }, 1e-5).worstClients, 10);
    const coarse = clientLevelEpsilon(
      { ...base, noiseStdDevSteps: 0.6, l2SensitivitySteps: 1, honestClients: range },
      1e-5,
    );
    assert.ok(coarse.worstClients > 10);
    for (const clients of [10, 40, 256]) {
      assert.ok(
        coarse.epsilon >=
          clientLevelEpsilon(
            { ...base, noiseStdDevSteps: 0.6, l2SensitivitySteps: 1, honestClients: exactly(clients) },
            1e-5,
          ).epsilon,
      );
    }
  });

  it("grows with rounds, norm and dropouts, falls with noise, clients and delta", () => {
    const { epsilon } = clientLevelEpsilon(base, 1e-5);
    for (const change of [
      { rounds: 2 },
      { l2SensitivitySteps: 530 },
      { honestClients: { least: 90, most: 100 } },
      { noiseStdDevSteps: 99 },
      { totalVariation: 1e-7 },
    ]) {
      assert.ok(clientLevelEpsilon({ ...base, ...change }, 1e-5).epsilon > epsilon, JSON.stringify(change));
    }
    assert.ok(clientLevelEpsilon({ ...base, honestClients: exactly(101) }, 1e-5).epsilon < epsilon);
    assert.ok(clientLevelEpsilon(base, 1e-4).epsilon < epsilon);
  });

  it("counts exits in delta as (1 + e^epsilon) times their total variation", () => {
    const totalVariation = 1e-8;
    const { epsilon } = clientLevelEpsilon({ ...base, totalVariation }, 1e-5);
    const reduced = clientLevelEpsilon(base, 1e-5 - (1 + Math.exp(epsilon)) * totalVariation);
    assert.ok(Math.abs(epsilon - reduced.epsilon) < 1e-9);
    assert.equal(clientLevelEpsilon({ ...base, totalVariation: 4e-6 }, 1e-5).epsilon, Infinity);
  });

  it("finds the smallest integer variance that keeps to epsilon, exits included", () => {
    const { noiseStdDevSteps: _, ...search } = base;
    for (const totalVariation of [(): number => 0, (variance: number): number => 1e-7 / variance]) {
      const variance = noiseVarianceFor(3, 1e-5, search, totalVariation);
      const epsilonAt = (noiseVariance: number): number =>
        clientLevelEpsilon(
          { ...base, noiseStdDevSteps: Math.sqrt(noiseVariance), totalVariation: totalVariation(noiseVariance) },
          1e-5,
        ).epsilon;
      assert.ok(epsilonAt(variance) <= 3 && epsilonAt(variance - 1) > 3, `${variance}`);
    }
    throwsCode(() => noiseVarianceFor(0, 1e-5, search), "PRIVACY_PARAMETERS_INVALID");
  });

  it("is not worse than Skellam noise of the same variance from a standard deviation of one step on", () => {
    for (const [noiseStdDevSteps, l2SensitivitySteps] of [
      [1, 17],
      [2, 23],
      [20, 60],
      [200, 1030],
    ] as const) {
      const noise = { ...base, rounds: 1, noiseStdDevSteps, l2SensitivitySteps };
      assert.ok(
        clientLevelEpsilon(noise, 1e-5).epsilon <= clientLevelEpsilon(noise, 1e-5, skellamDivergence).epsilon,
        `${noiseStdDevSteps}`,
      );
    }
  });

  it("refuses parameters outside its range", () => {
    for (const change of [
      { noiseStdDevSteps: 0.49 },
      { noiseStdDevSteps: NaN },
      { honestClients: { least: 0, most: 1 } },
      { honestClients: { least: 3, most: 2 } },
      { l2SensitivitySteps: 0 },
      { dimension: 0 },
      { rounds: 0.5 },
      { totalVariation: 1 },
    ]) {
      throwsCode(() => clientLevelEpsilon({ ...base, ...change }, 1e-5), "PRIVACY_PARAMETERS_INVALID");
    }
    for (const delta of [0, 1, NaN]) throwsCode(() => clientLevelEpsilon(base, delta), "PRIVACY_PARAMETERS_INVALID");
  });
});
