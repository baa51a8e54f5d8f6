import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { methodFor, TRAINING_METHODS } from "../../learning/trainers/registry.ts";
import { trainingMethod } from "../../learning/trainers/training-method.ts";
import type { TrainingJob, TrainOptions } from "../../learning/trainers/training-method.ts";
import { rejectsCode, throwsCode } from "../support/errors.ts";
import { seededRandom } from "../support/random.ts";

const PLAIN: TrainOptions = { learningRate: 1, momentum: 0, batchSize: 1, localEpochs: 1, seed: 1 };
const PRIVATE: TrainOptions = {
  ...PLAIN,
  privacy: { clipNorm: 1, noiseMultiplier: 1, samplingRate: 0.5, steps: 1, random: seededRandom("trainers") },
};

describe("ways of training", () => {
  it("have names of their own", () =>
    assert.equal(new Set(TRAINING_METHODS.map(({ name }) => name)).size, TRAINING_METHODS.length));

  it("are chosen by what the options ask for: never one without noise where privacy is asked for", () => {
    assert.deepEqual([methodFor(PLAIN).name, methodFor(PRIVATE).name], ["SGD", "DP-SGD"]);
  });

  it("are refused where none or several take the options", () => {
    throwsCode(() => methodFor(PLAIN, []), "TRAINING_OPTIONS_INVALID");
    throwsCode(() => methodFor(PLAIN, [...TRAINING_METHODS, ...TRAINING_METHODS]), "TRAINING_OPTIONS_INVALID");
  });

  it("do not run on options that they do not take", async () => {
    for (const method of TRAINING_METHODS)
      for (const options of [PLAIN, PRIVATE])
        if (!method.takes(options))
          await rejectsCode(method.train(undefined as never, options), "TRAINING_OPTIONS_INVALID");
  });

  it("are given their options and the job as they are", async () => {
    const job = {} as TrainingJob;
    const seen: unknown[] = [];
    const method = trainingMethod({
      name: "nothing",
      takes: (options): options is TrainOptions => options.seed === 1,
      train: async (...given) => {
        seen.push(...given);
        return { weights: new Float32Array(0), loss: 0, steps: 0 };
      },
    });
    await method.train(job, PLAIN);
    assert.deepEqual(seen, [job, PLAIN]);
  });
});
