import assert from "node:assert/strict";
import { describe, it } from "mocha";
import {
  assertStepsFit,
  clipNormOf,
  dimensionOf,
  serverStepOf,
  stepScale,
  weightsOf,
} from "../../task/model-vector.ts";
import { throwsCode } from "../support/errors.ts";

const adaptive = {
  quantile: { numerator: 1, denominatorBits: 1 },
  octavesPerRound: { numerator: 1, denominatorBits: 0 },
  maxOctaves: 4,
  voteSteps: 96,
};
const server = {
  fractionalBits: 20,
  learningRate: { numerator: 1, denominatorBits: 0 },
  momentum: { numerator: 0, denominatorBits: 0 },
};
const fixed = { preset: "standard", server, quantisation: { stepBits: 9, clipSteps: 384 } } as const;
const following = { ...fixed, quantisation: { ...fixed.quantisation, adaptive } };
const state = { weights: Int32Array.of(1 << 20, -(1 << 19), 3 << 16), kept: [new Int32Array(3)] };

describe("a model's vector", () => {
  it("has one coordinate more where the clip norm is adaptive, which is no weight", () => {
    assert.deepEqual([dimensionOf(fixed, 650), dimensionOf(following, 650)], [650, 651]);
    assert.deepEqual([...weightsOf(fixed, state)], [1, -0.5, 0.1875]);
    assert.deepEqual([...weightsOf(following, state)], [1, -0.5]);
  });

  it("says to which norm a round clips: three octaves above the document's", () => {
    assert.deepEqual([stepScale(fixed, state), clipNormOf(fixed, state)], [1, 0.75]);
    assert.deepEqual([stepScale(following, state), clipNormOf(following, state)], [8, 6]);
  });

  it("hands the votes to the server's rule only where there are any", () => {
    assert.equal("adaptiveClip" in serverStepOf(fixed), false);
    assert.equal(serverStepOf(following).adaptiveClip, adaptive);
  });

  it("is refused where one round at the longest step could leave the weights' range", () => {
    assertStepsFit(following);
    assertStepsFit({ ...fixed, server: { ...server, fractionalBits: 24 } });
    // 2^11 steps of 2^(4 + 24 − 9) units are a mean of 2^30.
    throwsCode(() => assertStepsFit({ ...following, server: { ...server, fractionalBits: 24 } }), "PARAMETERS_INVALID");
  });
});
