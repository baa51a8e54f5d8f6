import { describe, it } from "mocha";
import assert from "node:assert/strict";
import type { Trainer } from "../../learning/trainer.ts";
import type { TaskDocument } from "../../task/document.ts";
import type { LocalLearner } from "../../client/make-submission.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { rejectsCode, throwsCode } from "../support/errors.ts";
import { learnerWith, TERMS } from "../support/noisy-client.ts";
import { seededRandom } from "../support/random.ts";

const DIMENSION = 200;

/** A learner whose training gives these weights, or diverges. */
function learner(weights: Float32Array | undefined, privacy?: TaskDocument["training"]["privacy"]): LocalLearner {
  const train: Trainer["train"] = () =>
    weights === undefined
      ? Promise.reject(new VerisumError("TRAINING_DIVERGED", "the loss is NaN"))
      : Promise.resolve({ weights, loss: 1, steps: 1 });
  return learnerWith(train, seededRandom("learner"), privacy, DIMENSION);
}

describe("a client's learner", () => {
  const privacy = { unit: "client", noiseVariance: 100, delta: 1e-5 } as const;
  const base = { weights: new Int32Array(DIMENSION), kept: [new Int32Array(DIMENSION)] };

  it("takes part with noise alone where clients are protected and training diverges: staying away would tell of the data", async () => {
    const diverged = learner(undefined, privacy);
    const update = await diverged.update(base, 1n, TERMS);
    assert.ok(update.every((value) => value === 0));
    const mean = diverged.quantise(update, base).reduce((sum, value) => sum + value ** 2, 0) / DIMENSION;
    assert.ok(mean > 50 && mean < 200, `the noise's variance is 100, the sample's ${mean}`);
  });

  it("does so too when a trainer of somebody else fails, and sits out where clients are not protected", async () => {
    for (const code of ["TRAINER_FAILED", "TRAINER_UPDATE_INVALID"] as const) {
      const failing = (): Promise<never> => Promise.reject(new VerisumError(code, "as told"));
      const own = learnerWith(failing, seededRandom("learner"), privacy, DIMENSION);
      assert.ok((await own.update(base, 1n, TERMS)).every((value) => value === 0));
      const open = learnerWith(failing, seededRandom("learner"), undefined, DIMENSION);
      await rejectsCode(open.update(base, 1n, TERMS), code);
    }
  });

  it("ends, and takes no part with zero, when it is told to stop while it trains", async () => {
    const stopped = (): Promise<never> => Promise.reject(new VerisumError("INTERRUPTED", "stopped on request"));
    const own = learnerWith(stopped, seededRandom("learner"), privacy, DIMENSION);
    await rejectsCode(own.update(base, 1n, TERMS), "INTERRUPTED");
  });

  it("does so too with weights that are not finite", async () => {
    const far = learner(new Float32Array(DIMENSION).fill(Infinity), privacy);
    const update = await far.update(base, 1n, TERMS);
    assert.equal(update[0], Infinity);
    assert.equal(far.quantise(update, base).length, DIMENSION);
  });

  it("says so where clients are not protected", async () => {
    await rejectsCode(learner(undefined).update(base, 1n, TERMS), "TRAINING_DIVERGED");
    const far = learner(new Float32Array(DIMENSION).fill(Infinity));
    const update = await far.update(base, 1n, TERMS);
    throwsCode(() => far.quantise(update, base), "UPDATE_NOT_FINITE");
  });

  it("scales an update by its base's age before it clips and adds noise, so that noise and norm do not tell the age", async () => {
    const staleness = { kind: "polynomial", exponent: 0.5 } as const;
    const weights = new Float32Array(DIMENSION).fill(0.5);
    const train: Trainer["train"] = () => Promise.resolve({ weights, loss: 1, steps: 1 });
    const encoded = async (
      rule: typeof staleness | undefined,
      age: number,
      noise?: typeof privacy,
    ): Promise<number> => {
      const own = learnerWith(train, seededRandom("learner"), noise, DIMENSION, rule);
      const vector = own.quantise(await own.update(base, 1n, TERMS), base, age);
      return Math.sqrt(vector.reduce((sum, value) => sum + value ** 2, 0));
    };
    // 200 weights of 0.5 have a norm of 7.07, 113 steps; the task clips to 16.
    const rounding = Math.sqrt(DIMENSION) / 2;
    assert.ok(Math.abs((await encoded(staleness, 0)) - 16) < rounding);
    assert.ok(Math.abs((await encoded(staleness, 48)) - 16) < rounding, "a seventh of it is still clipped");
    assert.ok(Math.abs((await encoded(staleness, 9999)) - 1.13) < rounding, "a hundredth is not");
    assert.ok(Math.abs((await encoded(undefined, 9999)) - 16) < rounding, "a task without a rule counts all alike");
    assert.ok((await encoded(staleness, 1e9, privacy)) > 100, "the noise of 200 coordinates is 141 steps long");
  });
});
