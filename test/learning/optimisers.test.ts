/** Steps from gradients, against their definitions, and what they do in training. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { classEvaluation } from "../../learning/evaluation.ts";
import { loadDataset } from "../../learning/dataset.ts";
import type { Dataset } from "../../learning/examples.ts";
import { DIGITS_MLP } from "../../learning/model.ts";
import { createStep } from "../../learning/trainers/optimiser.ts";
import { createTrainer } from "../../learning/trainer.ts";
import { rejectsCode } from "../support/errors.ts";
import { seededRandom } from "../support/random.ts";

const ADAM = { kind: "adam", beta2: 0.99, epsilon: 0.001 } as const;
const GRADIENTS = [
  [1, -0.5],
  [0.25, 2],
  [-3, 0],
] as const;

function after(options: Parameters<typeof createStep>[1]): number[] {
  const weights = Float32Array.of(1, -2);
  const step = createStep(2, options);
  for (const gradient of GRADIENTS) step(weights, gradient);
  return [...weights];
}

function assertNear(actual: readonly number[], expected: readonly number[]): void {
  actual.forEach((value, i) => assert.ok(Math.abs(value - expected[i]!) < 1e-5, `${value} instead of ${expected[i]}`));
}

describe("an optimiser", () => {
  it("Adam moves by the first moment over the root of the second, both corrected for their start", () => {
    const expected = [1, -2].map((start, k) => {
      let [weight, first, second] = [start, 0, 0];
      GRADIENTS.forEach((gradient, t) => {
        first = 0.8 * first + 0.2 * gradient[k]!;
        second = 0.99 * second + 0.01 * gradient[k]! ** 2;
        const corrected = Math.sqrt(second / (1 - 0.99 ** (t + 1))) + 0.001;
        weight -= (0.1 * (first / (1 - 0.8 ** (t + 1)))) / corrected;
      });
      return weight;
    });
    assertNear(after({ learningRate: 0.1, momentum: 0.8, optimiser: ADAM }), expected);
  });

  it("takes a share of each weight away beside the gradient, whatever the optimiser", () => {
    const [a, b] = after({ learningRate: 0.1, momentum: 0, weightDecay: 0.5 });
    let [x, y] = [1, -2];
    for (const [dx, dy] of GRADIENTS) [x, y] = [x * 0.95 - 0.1 * dx, y * 0.95 - 0.1 * dy];
    assertNear([a!, b!], [x, y]);
    const still = Float32Array.of(1);
    createStep(1, { learningRate: 0.1, momentum: 0, optimiser: ADAM, weightDecay: 0.5 })(still, [0]);
    assertNear([...still], [0.95]);
  });

  it("trains the digits by Adam, plainly and privately", async function () {
    this.timeout(60_000);
    const { train, test } = await loadDataset("digits");
    const trainer = await createTrainer(DIGITS_MLP);
    const start = trainer.initialWeights(1);
    const options = { learningRate: 0.005, momentum: 0.9, batchSize: 32, localEpochs: 8, seed: 1, optimiser: ADAM };
    const { weights } = await trainer.train(start, train, options);
    assert.ok(classEvaluation(await trainer.evaluate(weights, test)).accuracy > 0.95);
    const privacy = { clipNorm: 1, noiseMultiplier: 1, samplingRate: 0.1, steps: 20, random: seededRandom("adam") };
    const learnt = await trainer.train(start, train, { ...options, batchSize: 144, learningRate: 0.02, privacy });
    assert.ok(classEvaluation(await trainer.evaluate(learnt.weights, test)).accuracy > 0.5);
  });
});

describe("class weights", () => {
  /** Nine of class 0 and one of class 1, all at the same place: nothing but their number tells them apart. */
  const data: Dataset = {
    features: new Float32Array(10).fill(1),
    labels: Int32Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
    exampleCount: 10,
    featureShape: [1],
    classCount: 2,
  };
  const options = { learningRate: 0.5, momentum: 0.9, batchSize: 10, localEpochs: 200, seed: 1 };

  it("make a rare class count as much as a frequent one", async () => {
    const trainer = await createTrainer(
      { kind: "mlp", inputShape: [1], hidden: [], classCount: 2 },
      { backend: "cpu" },
    );
    const chanceOfRare = async (classWeights?: readonly number[]): Promise<number> => {
      const { weights } = await trainer.train(new Float32Array(4), data, { ...options, classWeights });
      return (await trainer.predict(weights, data))[1]!;
    };
    assertNear([await chanceOfRare(), await chanceOfRare([1, 9]), await chanceOfRare([1, 1])], [0.1, 0.5, 0.1]);
  });

  it("change neither what is measured nor the data", async () => {
    const trainer = await createTrainer(
      { kind: "mlp", inputShape: [1], hidden: [], classCount: 2 },
      { backend: "cpu" },
    );
    await trainer.train(new Float32Array(4), data, { ...options, localEpochs: 1, classWeights: [0, 5] });
    assert.equal(data.weights, undefined);
    assertNear([(await trainer.evaluate(new Float32Array(4), data)).loss], [Math.log(2)]);
  });

  it("are refused in another number than the classes', negative, or all zero", async () => {
    const trainer = await createTrainer(
      { kind: "mlp", inputShape: [1], hidden: [], classCount: 2 },
      { backend: "cpu" },
    );
    for (const classWeights of [[1], [1, 2, 3], [1, -1], [0, 0], [NaN, 1], [1, 1e9]])
      await rejectsCode(
        trainer.train(new Float32Array(4), data, { ...options, classWeights }),
        "TRAINING_OPTIONS_INVALID",
      );
    for (const weightDecay of [-1, 2, NaN])
      await rejectsCode(
        trainer.train(new Float32Array(4), data, { ...options, weightDecay }),
        "TRAINING_OPTIONS_INVALID",
      );
  });
});
