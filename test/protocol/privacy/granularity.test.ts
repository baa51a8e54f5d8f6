/** The finest grid for an update and its noise. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { noiseVarianceFor } from "../../../protocol/privacy/distributed-gaussian.ts";
import { finestGranularity } from "../../../protocol/privacy/granularity.ts";
import { noisyUpdateBounds, roundedNormBoundSquared } from "../../../protocol/privacy/noise-bounds.ts";
import { throwsCode } from "../../support/errors.ts";

const DIMENSION = 650;

function varianceFor(clients: number, epsilon: number): (clipSteps: number) => number {
  return (clipSteps) =>
    noiseVarianceFor(epsilon, 1e-5, {
      honestClients: { least: clients, most: clients },
      l2SensitivitySteps: Math.sqrt(Number(roundedNormBoundSquared(clipSteps, DIMENSION))),
      dimension: DIMENSION,
      rounds: 20,
    });
}

describe("the finest grid", () => {
  for (const [clients, epsilon] of [
    [10, 1],
    [10, 8],
    [100, 3],
    [100, 8],
    [250, 8],
  ] as const) {
    it(`holds update and noise of ${clients} clients at epsilon ${epsilon}, and one bit more does not`, () => {
      const options = {
        clipNorm: 0.5,
        largestCoordinate: 0.25,
        dimension: DIMENSION,
        coordinateBits: 12,
        varianceFor: varianceFor(clients, epsilon),
      };
      const { stepBits, clipSteps, noiseVariance } = finestGranularity(options);
      assert.equal(clipSteps, Math.floor(0.5 * 2 ** stepBits));
      assert.equal(noiseVariance, options.varianceFor(clipSteps));
      assert.ok(
        noisyUpdateBounds({ clipSteps, dimension: DIMENSION, noiseVariance, coordinateBits: 12 }).coordinateLimit >=
          0.25 * 2 ** stepBits,
      );
      let finer = 0;
      try {
        finer = noisyUpdateBounds({
          clipSteps: clipSteps * 2,
          dimension: DIMENSION,
          noiseVariance: options.varianceFor(clipSteps * 2),
          coordinateBits: 12,
        }).coordinateLimit;
      } catch {
        /* the noise alone is too large */
      }
      assert.ok(finer < 0.25 * 2 ** (stepBits + 1));
    });
  }

  it("is finer where coordinates are smaller, wider or less noisy", () => {
    const bits = (largestCoordinate: number, coordinateBits: number, clients: number): number =>
      finestGranularity({
        clipNorm: 0.5,
        largestCoordinate,
        dimension: DIMENSION,
        coordinateBits,
        varianceFor: varianceFor(clients, 8),
      }).stepBits;
    assert.ok(bits(0.05, 12, 250) > bits(0.5, 12, 250));
    assert.ok(bits(0.5, 12, 100) > bits(0.5, 8, 100));
    assert.ok(bits(0.1, 12, 250) > bits(0.1, 12, 10));
  });

  it("is refused where none holds them", () => {
    const options = {
      clipNorm: 0.5,
      largestCoordinate: 0.5,
      dimension: DIMENSION,
      coordinateBits: 8,
      varianceFor: () => 2 ** 30,
    };
    throwsCode(() => finestGranularity(options), "PRIVACY_PARAMETERS_INVALID");
    throwsCode(() => finestGranularity({ ...options, largestCoordinate: 0.6 }), "PRIVACY_PARAMETERS_INVALID");
  });
});
