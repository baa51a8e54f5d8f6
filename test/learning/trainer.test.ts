import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { after, before, describe, it } from "mocha";
import { selectBackend } from "../../learning/backend.ts";
import { loadDataset } from "../../learning/dataset.ts";
import { inputGradient, kernelGradient } from "../../learning/layers/convolution.ts";
import { maxPool, maxPoolGradient } from "../../learning/layers/max-pooling.ts";
import { selectExamples } from "../../learning/examples.ts";
import type { Dataset } from "../../learning/examples.ts";
import { DIGITS_MLP, FASHION_CNN, modelTensors, parameterCountOf, parseModel } from "../../learning/model.ts";
import type { ModelDescription } from "../../learning/model.ts";
import { createNetwork } from "../../learning/network.ts";
import { seededStream } from "../../learning/seeded-stream.ts";
import { classEvaluation } from "../../learning/evaluation.ts";
import { createTrainer } from "../../learning/trainer.ts";
import type { Trainer } from "../../learning/trainer.ts";
import type { TrainOptions } from "../../learning/trainers/training-method.ts";
import { rejectsCode, throwsCode } from "../support/errors.ts";

const OPTIONS: TrainOptions = { learningRate: 0.05, momentum: 0.9, batchSize: 16, localEpochs: 2, seed: 1 };
const SMALL_CNN: ModelDescription = { kind: "cnn", inputShape: [9, 8, 2], filters: [3, 4], dense: [5], classCount: 3 };

function randomDataset(featureShape: number[], classCount: number, exampleCount: number): Dataset {
  const stream = seededStream("test-data", 5);
  const size = featureShape.reduce((a, b) => a * b, 1);
  const labels = Int32Array.from({ length: exampleCount }, () => stream.below(classCount));
  return {
    features: Float32Array.from({ length: size * exampleCount }, () => stream.normal()),
    labels,
    exampleCount,
    featureShape,
    classCount,
  };
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  return Array.from(a).reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
}

describe("models", () => {
  it("count the weights of the two models in use", () => {
    assert.equal(parameterCountOf(parseModel(DIGITS_MLP)), 2410);
    assert.equal(parameterCountOf(parseModel(FASHION_CNN)), 1_199_882);
  });

  it("name tensors in layer order", () => {
    assert.deepEqual(
      modelTensors(DIGITS_MLP).map(({ name, shape }) => `${name} ${shape.join("x")}`),
      ["dense_1.kernel 64x32", "dense_1.bias 32", "dense_2.kernel 32x10", "dense_2.bias 10"],
    );
  });

  for (const [name, description] of Object.entries<unknown>({
    "an unknown kind": { kind: "transformer" },
    "no classes": { ...DIGITS_MLP, classCount: 1 },
    "an unknown field": { ...DIGITS_MLP, dropout: 0.5 },
    "a fractional width": { kind: "mlp", inputShape: [64], hidden: [1.5], classCount: 10 },
    "too many weights": { kind: "mlp", inputShape: [65_536], hidden: [65_536], classCount: 10 },
    "an unknown activation": { ...DIGITS_MLP, activation: "sigmoid" },
    "an image smaller than its kernels": { ...FASHION_CNN, inputShape: [4, 4, 1] },
    nothing: undefined,
  })) {
    it(`refuses ${name}`, () => throwsCode(() => modelTensors(description), "MODEL_DESCRIPTION_INVALID"));
  }
});

describe("activations", () => {
  it("are ReLU where a description has none, and its parsed form has none either", async () => {
    const trainer = await createTrainer(DIGITS_MLP);
    const { test } = await loadDataset("digits");
    const losses = await Promise.all(
      ([undefined, "relu", "tanh"] as const).map(
        async (activation) =>
          (
            await (
              await createTrainer({ ...DIGITS_MLP, ...(activation && { activation }) })
            ).evaluate(trainer.initialWeights(1), test)
          ).loss,
      ),
    );
    assert.equal(losses[0], losses[1]);
    assert.notEqual(losses[0], losses[2]);
    assert.ok(!("activation" in parseModel(DIGITS_MLP)));
  });

  it("bound the output of every hidden layer with tanh", () => {
    const network = createNetwork(
      parseModel({ kind: "mlp", inputShape: [1], hidden: [1], classCount: 2, activation: "tanh" }),
    );
    // Kernel 1 and bias 0; kernels 1 and −2, biases 0.
    const scores = network.outputs(Float32Array.of(1, 0, 1, -2, 0, 0), Float32Array.of(-50, -0.5, 0, 0.5, 50));
    const expected = [-50, -0.5, 0, 0.5, 50].flatMap((x) => [Math.tanh(x), -2 * Math.tanh(x)]);
    assert.ok(largestDifference(scores, expected) < 1e-6);
  });
});

describe("gradients of convolution and pooling", () => {
  before(() => selectBackend("cpu"));
  after(() => selectBackend("wasm"));

  it("agree with the cpu backend's own kernels", () => {
    tf.tidy(() => {
      const stream = seededStream("convolution", 1);
      const random = (shape: [number, number, number, number]): tf.Tensor4D =>
        tf.tensor4d(
          Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => stream.normal()),
          shape,
        );
      const [x, kernel, error] = [random([2, 7, 6, 3]), random([3, 3, 3, 4]), random([2, 5, 4, 4])];
      const attributes = { strides: 1, pad: "valid", dataFormat: "NHWC", dimRoundingMode: undefined };
      const run = (name: string, inputs: object, extra: object): ArrayLike<number> =>
        tf
          .engine()
          .runKernel<tf.Tensor>(name, inputs as never, { ...attributes, ...extra } as never)
          .dataSync();
      assert.ok(
        largestDifference(
          kernelGradient(tf, x, error).dataSync(),
          run("Conv2DBackpropFilter", { x, dy: error }, { filterShape: kernel.shape }),
        ) < 1e-4,
      );
      assert.ok(
        largestDifference(
          inputGradient(tf, error, kernel).dataSync(),
          run("Conv2DBackpropInput", { dy: error, filter: kernel }, { inputShape: x.shape }),
        ) < 1e-4,
      );
      const pooled = maxPool(tf, x, [2, 2]);
      const poolError = random(pooled.shape);
      const expected = run("MaxPoolGrad", { dy: poolError, input: x, output: pooled }, { filterSize: 2, strides: 2 });
      assert.ok(largestDifference(maxPoolGradient(tf, x, pooled, poolError, [2, 2]).dataSync(), expected) < 1e-6);
    });
  });

  it("share a pooled gradient among equal values instead of repeating it", () => {
    tf.tidy(() => {
      const x = tf.ones<tf.Rank.R4>([1, 4, 4, 1]);
      const gradient = maxPoolGradient(tf, x, maxPool(tf, x, [2, 2]), tf.ones<tf.Rank.R4>([1, 2, 2, 1]), [2, 2]);
      assert.equal(tf.sum(gradient).dataSync()[0], 4);
    });
  });
});

describe("network gradients", () => {
  const smallMlp: ModelDescription = { kind: "mlp", inputShape: [6], hidden: [5, 4], classCount: 3 };
  for (const [name, description, shape] of [
    ["MLP", smallMlp, [6]],
    ["CNN", SMALL_CNN, [9, 8, 2]],
    ["MLP with tanh", { ...smallMlp, activation: "tanh" }, [6]],
    ["CNN with tanh", { ...SMALL_CNN, activation: "tanh" }, [9, 8, 2]],
  ] as const) {
    it(`of an ${name} agree between wasm and cpu and with finite differences`, async () => {
      const model = parseModel(description);
      const batch = randomDataset([...shape], 3, 7);
      const weights = (await createTrainer(model)).initialWeights(3);
      const wasm = createNetwork(model).lossAndGradient(weights, batch);
      await selectBackend("cpu");
      const network = createNetwork(model);
      const cpu = network.lossAndGradient(weights, batch);
      assert.ok(Math.abs(wasm.loss - cpu.loss) < 1e-5);
      assert.ok(largestDifference(wasm.gradient, cpu.gradient) < 1e-5);
      const stream = seededStream("directions", 2);
      for (let trial = 0; trial < 3; trial++) {
        const direction = Float32Array.from(weights, () => stream.normal() / Math.sqrt(weights.length));
        const moved = (distance: number): number =>
          network.lossAndGradient(
            weights.map((value, i) => value + distance * direction[i]!),
            batch,
          ).loss;
        const expected = cpu.gradient.reduce((sum, value, i) => sum + value * direction[i]!, 0);
        // A longer step moves the largest value of a pooling window, where the loss has a bend.
        assert.ok(Math.abs((moved(1e-3) - moved(-1e-3)) / 2e-3 - expected) < 1e-3 * (1 + Math.abs(expected)));
      }
      await selectBackend("wasm");
    });
  }
});

describe("trainer", () => {
  let trainer: Trainer;
  let train: Dataset;
  let test: Dataset;

  before(async () => {
    trainer = await createTrainer(DIGITS_MLP);
    ({ train, test } = await loadDataset("digits"));
  });

  it("runs on wasm in Node", () => assert.equal(trainer.backend, "wasm"));

  it("learns the digits to at least 95 %", async function () {
    this.timeout(20_000);
    const { weights } = await trainer.train(trainer.initialWeights(1), train, { ...OPTIONS, localEpochs: 15 });
    const { accuracy, loss } = classEvaluation(await trainer.evaluate(weights, test));
    assert.ok(accuracy >= 0.95, `accuracy ${accuracy}`);
    assert.ok(loss < 0.3);
  });

  it("is repeatable, leaves its arguments alone and depends on the seed", async () => {
    const start = trainer.initialWeights(2);
    const kept = start.slice();
    const first = await trainer.train(start, train, OPTIONS);
    const second = await trainer.train(start, train, OPTIONS);
    const other = await trainer.train(start, train, { ...OPTIONS, seed: 9 });
    assert.deepEqual(start, kept);
    assert.deepEqual(first, second);
    assert.notDeepEqual(first.weights, other.weights);
    assert.deepEqual(trainer.initialWeights(2), kept);
    assert.notDeepEqual(trainer.initialWeights(3), kept);
  });

  it("reports every step", async () => {
    const steps: number[] = [];
    const result = await trainer.train(
      trainer.initialWeights(1),
      selectExamples(train, [0, 1, 2, 3, 4]),
      { ...OPTIONS, batchSize: 2 },
      ({ step }) => steps.push(step),
    );
    assert.deepEqual(steps, [1, 2, 3, 4, 5, 6]);
    assert.equal(result.steps, 6);
  });

  it("keeps no tensor between calls, in convolutional models as well", async function () {
    this.timeout(20_000);
    const cnn = await createTrainer(SMALL_CNN);
    const data = randomDataset([9, 8, 2], 3, 12);
    let weights = cnn.initialWeights(1);
    const used: number[] = [];
    for (let round = 0; round < 5; round++) {
      ({ weights } = await cnn.train(weights, data, { ...OPTIONS, learningRate: 0.01, batchSize: 5 }));
      await cnn.evaluate(weights, data);
      const { numTensors, numBytes, numDataBuffers } = tf.memory();
      used.push(numTensors, numBytes, numDataBuffers);
    }
    for (let i = 3; i < used.length; i++) assert.equal(used[i], used[i - 3]);
  });

  it("learns a convolutional model", async function () {
    this.timeout(20_000);
    const cnn = await createTrainer({ kind: "cnn", inputShape: [8, 8, 1], filters: [4], dense: [], classCount: 10 });
    const { weights } = await cnn.train(cnn.initialWeights(1), train, { ...OPTIONS, localEpochs: 3 });
    assert.ok(classEvaluation(await cnn.evaluate(weights, test)).accuracy > 0.9);
  });

  for (const [name, index, value] of [
    ["NaN", 0, NaN],
    ["an infinity", 5, Infinity],
    ["a negative infinity", 2409, -Infinity],
  ] as const) {
    it(`refuses weights and features with ${name}`, async () => {
      const weights = trainer.initialWeights(1);
      weights[index] = value;
      await rejectsCode(trainer.train(weights, train, OPTIONS), "MODEL_NOT_FINITE");
      await rejectsCode(trainer.evaluate(weights, test), "MODEL_NOT_FINITE");
      const features = test.features.slice();
      features[index] = value;
      await rejectsCode(trainer.evaluate(trainer.initialWeights(1), { ...test, features }), "DATASET_VALUE_INVALID");
    });
  }

  it("takes denormal weights", async () => {
    const { loss } = await trainer.evaluate(new Float32Array(2410).fill(1e-42), test);
    assert.ok(Math.abs(loss - Math.log(10)) < 1e-6);
  });

  it("refuses wrong lengths, shapes and classes", async () => {
    await rejectsCode(trainer.train(new Float32Array(2409), train, OPTIONS), "UPDATE_LENGTH");
    await rejectsCode(
      trainer.evaluate(trainer.initialWeights(1), randomDataset([63], 10, 5)),
      "DATASET_MODEL_MISMATCH",
    );
    await rejectsCode(
      trainer.evaluate(trainer.initialWeights(1), randomDataset([64], 11, 5)),
      "DATASET_MODEL_MISMATCH",
    );
  });

  for (const change of [
    { learningRate: 0 },
    { learningRate: NaN },
    { momentum: 1 },
    { momentum: -0.1 },
    { batchSize: 0 },
    { batchSize: 1.5 },
    { localEpochs: 0 },
  ]) {
    it(`refuses ${JSON.stringify(change)}`, () =>
      rejectsCode(
        trainer.train(trainer.initialWeights(1), train, { ...OPTIONS, ...change }),
        "TRAINING_OPTIONS_INVALID",
      ));
  }

  it("says so when training diverges", () =>
    rejectsCode(
      trainer.train(trainer.initialWeights(1), train, { ...OPTIONS, learningRate: 1e6 }),
      "TRAINING_DIVERGED",
    ));

  it("says so when a backend is not installed", async () => {
    await rejectsCode(createTrainer(DIGITS_MLP, { backend: "native" }), "TRAINING_BACKEND_UNAVAILABLE");
  });
});
