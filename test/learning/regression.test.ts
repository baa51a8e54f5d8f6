/** Models that answer with a number: losses, gradients, figures in the data's unit, and what they refuse. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { baselineWatch, evaluationText } from "../../learning/evaluation.ts";
import type { RegressionEvaluation } from "../../learning/evaluation.ts";
import { selectExamples } from "../../learning/examples.ts";
import type { Dataset } from "../../learning/examples.ts";
import { regressionHead } from "../../learning/heads/regression.ts";
import { parseModel } from "../../learning/model.ts";
import { createNetwork } from "../../learning/network.ts";
import { seededStream } from "../../learning/seeded-stream.ts";
import { createTrainer } from "../../learning/trainer.ts";
import { rejectsCode, throwsCode } from "../support/errors.ts";
import { seededRandom } from "../support/random.ts";

const MODEL = { kind: "mlp", inputShape: [3], hidden: [], head: { kind: "regression" } };
const OPTIONS = { learningRate: 0.05, momentum: 0.5, batchSize: 16, localEpochs: 30, seed: 1 };

/** y = 2a − b + 0.5, in the unit of mean 100 and deviation 10. */
function linearData(exampleCount: number): Dataset {
  const stream = seededStream("regression", 1);
  const features = Float32Array.from({ length: 3 * exampleCount }, () => stream.normal());
  const targets = Float32Array.from(
    { length: exampleCount },
    (_, i) => 2 * features[3 * i]! - features[3 * i + 1]! + 0.5,
  );
  const labels = new Int32Array(exampleCount);
  return {
    features,
    labels,
    targets,
    targetScaling: { mean: 100, stdDev: 10 },
    exampleCount,
    featureShape: [3],
    classCount: 0,
  };
}

async function evaluate(description: unknown, weights: Float32Array, data: Dataset): Promise<RegressionEvaluation> {
  const evaluation = await (await createTrainer(description, { backend: "cpu" })).evaluate(weights, data);
  assert.ok("r2" in evaluation);
  return evaluation;
}

describe("a model that answers with a number", () => {
  it("learns a line, and reports errors in the data's unit beside always answering the mean", async () => {
    const trainer = await createTrainer(MODEL, { backend: "cpu" });
    const data = linearData(200);
    const { weights } = await trainer.train(trainer.initialWeights(1), data, OPTIONS);
    [2, -1, 0, 0.5].forEach((expected, i) => assert.ok(Math.abs(weights[i]! - expected) < 0.01, `${i}: ${weights[i]}`));
    const learnt = await evaluate(MODEL, weights, data);
    assert.ok(learnt.rootMeanSquaredError < 0.1 && learnt.r2! > 0.999);
    const nothing = await evaluate(MODEL, new Float32Array(4), data);
    const distances = Array.from(data.targets!, (target) => 10 * target);
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    const near = (actual: number, expected: number): void =>
      assert.ok(Math.abs(actual - expected) < 1e-4 * expected, `${actual} instead of ${expected}`);
    near(nothing.rootMeanSquaredError, Math.sqrt(mean(distances.map((value) => value ** 2))));
    near(nothing.meanAbsoluteError, mean(distances.map(Math.abs)));
    near(nothing.baselineError, Math.sqrt(mean(distances.map((value) => (value - mean(distances)) ** 2))));
    near(nothing.loss, mean(distances.map((value) => (value / 10) ** 2)) / 2);
    assert.deepEqual([...(await trainer.predict(weights, data))].length, 200);
    const unanswered = { ...data, targets: data.targets!.map((target, i) => (i === 3 ? NaN : target)) };
    assert.deepEqual(await trainer.predict(weights, unanswered), await trainer.predict(weights, data));
    await rejectsCode(trainer.evaluate(weights, unanswered), "DATASET_VALUE_INVALID");
  });

  it("has half the squared error as loss, or Huber's, with their gradients", () => {
    const outputs = Float32Array.of(0.5, 3, -3);
    const answers = { labels: new Int32Array(3), targets: new Float32Array(3), weights: Float32Array.of(1, 1, 2) };
    const squared = regressionHead({ kind: "regression", loss: "squared" }).losses(outputs, answers);
    assert.deepEqual(
      [[...squared.losses], [...squared.errors]],
      [
        [0.125, 4.5, 9],
        [0.5, 3, -6],
      ],
    );
    const huber = regressionHead({ kind: "regression", loss: "huber" }).losses(outputs, answers);
    assert.deepEqual(
      [[...huber.losses], [...huber.errors]],
      [
        [0.125, 2.5, 5],
        [0.5, 1, -2],
      ],
    );
  });

  it("has the gradients of single examples that finite differences have, and trains privately", async () => {
    const trainer = await createTrainer({ ...MODEL, hidden: [2], activation: "tanh" }, { backend: "cpu" });
    const network = createNetwork(parseModel({ ...MODEL, hidden: [2], activation: "tanh" }));
    const weights = trainer.initialWeights(3);
    const data = selectExamples(linearData(20), [4, 7, 9]);
    const { features, labels, targets } = data;
    const { gradient } = network.lossAndGradient(weights, { features, labels, targets: targets! });
    const step = 2 ** -9;
    gradient.forEach((slope, i) => {
      const lossAt = (distance: number): number => {
        const moved = weights.slice();
        moved[i]! += distance;
        return network.lossAndGradient(moved, { features, labels, targets: targets! }).loss;
      };
      const expected = (lossAt(step) - lossAt(-step)) / (2 * step);
      assert.ok(Math.abs(slope - expected) < 1e-3, `${i}: ${slope} instead of ${expected}`);
    });
    const privacy = {
      clipNorm: 1,
      noiseMultiplier: 1,
      samplingRate: 0.5,
      steps: 2,
      random: seededRandom("regression"),
    };
    const trained = await trainer.train(weights, linearData(40), { ...OPTIONS, privacy });
    assert.ok(trained.weights.some((weight, i) => weight !== weights[i]));
  });

  it("refuses classes, as a model of classes refuses numbers", async () => {
    const { targets: _, ...rest } = linearData(4);
    const classes = { ...rest, classCount: 2 };
    const trainer = await createTrainer(MODEL, { backend: "cpu" });
    await rejectsCode(trainer.evaluate(trainer.initialWeights(1), classes), "DATASET_MODEL_MISMATCH");
    const classifier = await createTrainer(
      { kind: "mlp", inputShape: [3], hidden: [], classCount: 2 },
      { backend: "cpu" },
    );
    await rejectsCode(classifier.evaluate(classifier.initialWeights(1), linearData(4)), "DATASET_MODEL_MISMATCH");
    const endless = { ...linearData(2), targets: Float32Array.of(1, NaN) };
    await rejectsCode(trainer.evaluate(trainer.initialWeights(1), endless), "DATASET_VALUE_INVALID");
  });

  it("is described by a head in place of a number of classes", () => {
    const invalid = (model: object): void => throwsCode(() => parseModel(model), "MODEL_DESCRIPTION_INVALID");
    invalid({ kind: "mlp", inputShape: [3], hidden: [] });
    invalid({ ...MODEL, classCount: 2 });
    invalid({ ...MODEL, head: { kind: "regression", loss: "hinge" } });
    invalid({ kind: "layers", inputShape: [3], layers: [{ kind: "dense", units: 2 }], head: { kind: "regression" } });
    assert.equal(parseModel(MODEL).head?.loss, "squared");
  });

  it("is written with its baseline, and said to learn nothing where it is no better", () => {
    const evaluation = { rootMeanSquaredError: 3.25, meanAbsoluteError: 2, r2: 0.75, baselineError: 6.5, loss: 1 };
    assert.equal(
      evaluationText(evaluation),
      "root mean squared error 3.250 (always the mean 6.500, R² 0.750), mean absolute error 2.000",
    );
    const watch = baselineWatch();
    const seen = [7, 6.5, 8, 8].map((error) => watch({ ...evaluation, rootMeanSquaredError: error }) !== undefined);
    assert.deepEqual(seen, [false, false, true, false]);
  });

  it("has no explained share where all targets are equal", async () => {
    const data = { ...linearData(3), targets: Float32Array.of(1, 1, 1) };
    const { r2, baselineError } = await evaluate(MODEL, new Float32Array(4), data);
    assert.deepEqual([r2, baselineError], [null, 0]);
  });
});
