/** What every kind of layer in the list has to do; a new one is tested without a change, but for what it refuses. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { after, before, describe, it } from "mocha";
import { selectBackend } from "../../learning/backend.ts";
import { addTruncated, squaredNormOf } from "../../learning/example-gradients.ts";
import type { ExampleGradients } from "../../learning/example-gradients.ts";
import { LAYER_KINDS } from "../../learning/layers/registry.ts";
import { DIGITS_MLP, initialWeightsOf, parseModel, tensorsOf } from "../../learning/model.ts";
import type { Model } from "../../learning/model.ts";
import { createNetwork } from "../../learning/network.ts";
import type { Batch } from "../../learning/network.ts";
import { addClipped, clippingGrid } from "../../learning/trainers/dp-sgd.ts";
import { seededStream } from "../../learning/seeded-stream.ts";
import { sizeOf } from "../../learning/shape.ts";
import { createTrainer } from "../../learning/trainer.ts";
import { throwsCode } from "../support/errors.ts";
import { CLASSES, LAYER_MODELS, unusualWeights } from "../support/layer-models.ts";
import type { LayerModel } from "../support/layer-models.ts";
import { seededRandom } from "../support/random.ts";

/** Examples in a group. */
const GROUP = 8;
/** Cuts less than float32 does from a gradient near 1. */
const SCALE = 2 ** 40;
/** Below the gradients' norms at these weights, mostly. */
const CLIP_NORM = 0.5;

type Subject = LayerModel;
const SUBJECTS = LAYER_MODELS;
const weightsOf = unusualWeights;

function batchFor(inputSize: number, label: string): Batch {
  const stream = seededStream(label, 1);
  return {
    features: Float32Array.from({ length: GROUP * inputSize }, () => stream.normal()),
    labels: Int32Array.from({ length: GROUP }, (_, i) => i % CLASSES),
  };
}

function exampleOf({ features, labels }: Batch, inputSize: number, i: number): Batch {
  return { features: features.slice(i * inputSize, (i + 1) * inputSize), labels: labels.slice(i, i + 1) };
}

/** The same examples, turned until the i-th is the first. */
function beginningWith({ features, labels }: Batch, inputSize: number, i: number): Batch {
  const turned = new Float32Array(features.length);
  turned.set(features.subarray(i * inputSize));
  turned.set(features.subarray(0, i * inputSize), (GROUP - i) * inputSize);
  return { features: turned, labels: Int32Array.of(...labels.subarray(i), ...labels.subarray(0, i)) };
}

/** The gradient of one example's loss by central differences, coordinate by coordinate. */
function finiteDifferences({ model }: Subject, weights: Float32Array, example: Batch): Float64Array {
  const network = createNetwork(model);
  const lossAt = (i: number, distance: number): number => {
    const moved = weights.slice();
    moved[i]! += distance;
    return network.lossAndGradient(moved, example).loss;
  };
  // A longer step passes the bends of ReLU and pooling, a shorter one the digits of float32.
  const step = 2 ** -9;
  return Float64Array.from(weights, (_, i) => (lossAt(i, step) - lossAt(i, -step)) / (2 * step));
}

function gradientOf(gradients: ExampleGradients, example: number, weightCount: number): Float64Array {
  const sum = new Float64Array(weightCount);
  addTruncated(sum, gradients, [{ example, scale: SCALE }]);
  return sum.map((value) => value / SCALE);
}

function assertNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++)
    assert.ok(Math.abs(actual[i]! - expected[i]!) < tolerance, `${i}: ${actual[i]} instead of ${expected[i]}`);
}

function sha256Of(weights: Float32Array): string {
  return createHash("sha256").update(new Uint8Array(weights.buffer)).digest("hex");
}

function squaredLength(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value * value, 0);
}

/** SHA-256 of the little-endian float32 values of seed 7. */
const GOLDEN = [
  [DIGITS_MLP, "db5c01cc16f3a94e81f7370ce5f084922654383d48a9f2457fb9eb1202e6e30b"],
  [
    { kind: "cnn", inputShape: [9, 8, 2], filters: [3, 4], dense: [5], classCount: 3 },
    "b92a4527973020056c75c517bb2ad08f5034fb24111cbe351dc29268dc02be7c",
  ],
] as const;

describe("every kind of layer", () => {
  after(() => selectBackend("wasm"));

  for (const backend of ["wasm", "cpu"] as const) {
    for (const subject of SUBJECTS) {
      const { model, inputSize, name } = subject;
      describe(`${name}, ${backend}`, () => {
        const weights = weightsOf(model);
        const batch = batchFor(inputSize, "layers");
        let gradients: ExampleGradients;
        before(async () => {
          await selectBackend(backend);
          gradients = createNetwork(model).exampleGradients(weights, batch);
        });

        it("has the gradients of single examples that finite differences and a batch of one have", () => {
          for (let i = 0; i < GROUP; i++) {
            const example = exampleOf(batch, inputSize, i);
            const actual = gradientOf(gradients, i, weights.length);
            const { gradient, loss } = createNetwork(model).lossAndGradient(weights, example);
            assertNear(actual, gradient, 1e-5);
            assert.ok(Math.abs(gradients.losses[i]! - loss) < 1e-5);
            if (i < 3) assertNear(actual, finiteDifferences(subject, weights, example), 1e-3);
          }
        });

        it("has their norms", () => {
          for (let i = 0; i < GROUP; i++) {
            const { gradient } = createNetwork(model).lossAndGradient(weights, exampleOf(batch, inputSize, i));
            assert.ok(Math.abs(squaredNormOf(gradients, i) / squaredLength(gradient) - 1) < 1e-4);
          }
          const differences = finiteDifferences(subject, weights, exampleOf(batch, inputSize, 0));
          assert.ok(Math.abs(squaredNormOf(gradients, 0) / squaredLength(differences) - 1) < 1e-2);
        });

        it("adds each example clipped to its norm, in whole steps within the sensitivity", () => {
          const network = createNetwork(model);
          const grid = clippingGrid({ clipNorm: CLIP_NORM, noiseMultiplier: 1 });
          const expected = new Float64Array(weights.length);
          for (let i = 0; i < GROUP; i++) {
            const { gradient } = network.lossAndGradient(weights, exampleOf(batch, inputSize, i));
            const factor = Math.min(1, CLIP_NORM / Math.sqrt(squaredLength(gradient)));
            gradient.forEach((value, k) => (expected[k]! += value * factor));
            const alone = new Float64Array(weights.length);
            addClipped(alone, network.exampleGradients(weights, beginningWith(batch, inputSize, i)), 1, grid);
            assert.ok(alone.every(Number.isSafeInteger));
            const length = alone.reduce((total, value) => total + BigInt(value) ** 2n, 0n);
            assert.ok(length <= BigInt(grid.sensitivitySteps) ** 2n);
          }
          const sum = new Float64Array(weights.length);
          addClipped(sum, gradients, GROUP, grid);
          assertNear(
            sum.map((value) => value / grid.stepsPerUnit),
            expected,
            GROUP * 1e-5,
          );
        });

        it("rounds each coordinate towards zero, so that no sum is longer than its gradients", () => {
          for (let i = 0; i < GROUP; i++) {
            const gradient = gradientOf(gradients, i, weights.length);
            for (const steps of [1, 5, 1000]) {
              const scale = steps / Math.sqrt(squaredNormOf(gradients, i));
              const sum = new Float64Array(weights.length);
              addTruncated(sum, gradients, [{ example: i, scale }]);
              sum.forEach((value, k) => {
                const exact = Math.abs(gradient[k]! * scale);
                assert.ok(Math.abs(value) < exact + 1e-6 && Math.abs(value) > exact - 1 - 1e-6);
              });
            }
          }
        });

        it("clips as finite differences of the loss would have it", () => {
          const grid = clippingGrid({ clipNorm: CLIP_NORM, noiseMultiplier: 1 });
          const sum = new Float64Array(weights.length);
          addClipped(sum, gradients, 1, grid);
          const differences = finiteDifferences(subject, weights, exampleOf(batch, inputSize, 0));
          const factor = Math.min(1, CLIP_NORM / Math.sqrt(squaredLength(differences)));
          assertNear(
            sum.map((value) => value / grid.stepsPerUnit),
            differences.map((value) => value * factor),
            1e-3,
          );
        });

        it("gives an example the same result, bit for bit, at any place and beside any others", () => {
          const network = createNetwork(model);
          const seen = new Set<string>();
          for (let trial = 0; trial < 12; trial++) {
            const place = trial % GROUP;
            const neighbours = [
              new Float64Array(GROUP * inputSize),
              batchFor(inputSize, `neighbours ${trial}`).features,
              new Float64Array(GROUP * inputSize).fill(Infinity),
            ][trial % 3]!;
            const features = Float32Array.from(neighbours);
            features.set(batch.features.subarray(0, inputSize), place * inputSize);
            const result = network.exampleGradients(weights, { features, labels: new Int32Array(GROUP) });
            // At this scale nothing of a product of two floats is cut off.
            const exact = new Float64Array(weights.length);
            addTruncated(exact, result, [{ example: place, scale: 2 ** 300 }]);
            seen.add([result.losses[place]!, squaredNormOf(result, place), ...exact].join());
          }
          assert.equal(seen.size, 1);
        });

        it("has a gradient of the batch that is the mean of its examples'", () => {
          const { gradient } = createNetwork(model).lossAndGradient(weights, batch);
          const mean = new Float64Array(weights.length);
          for (let i = 0; i < GROUP; i++)
            gradientOf(gradients, i, weights.length).forEach((value, k) => (mean[k]! += value / GROUP));
          assertNear(gradient, mean, 1e-5);
        });

        it("lowers the loss of its batch, by plain and by private steps", async () => {
          const trainer = await createTrainer(model, { backend });
          const start = trainer.initialWeights(1);
          const data = {
            ...batch,
            exampleCount: GROUP,
            featureShape: model.inputShape,
            classCount: CLASSES,
          };
          const options = { learningRate: 0.1, momentum: 0.5, batchSize: GROUP, localEpochs: 60, seed: 1 };
          const { weights: trained } = await trainer.train(start, data, options);
          const [before, after] = [await trainer.evaluate(start, data), await trainer.evaluate(trained, data)];
          assert.ok(after.loss < 0.9 * before.loss, `${before.loss} to ${after.loss}`);
          const privacy = {
            clipNorm: 1,
            noiseMultiplier: 0.1,
            samplingRate: 1,
            steps: 60,
            random: seededRandom("layers"),
          };
          const { weights: noisy } = await trainer.train(start, data, { ...options, privacy });
          assert.ok((await trainer.evaluate(noisy, data)).loss < before.loss);
        });

        it("names its tensors after itself, as many as it fills and counts", () => {
          const names = tensorsOf(model).map((tensor) => tensor.name);
          assert.equal(new Set(names).size, names.length);
          assert.equal(
            tensorsOf(model).reduce((sum, { shape }) => sum + sizeOf(shape), 0),
            weights.length,
          );
          assert.ok(
            names.every((tensor) => LAYER_KINDS.some(({ schema }) => tensor.startsWith(schema.shape.kind.value))),
          );
        });

        it("leaves no tensor behind", () => {
          const held = tf.memory().numTensors;
          createNetwork(model).exampleGradients(weights, batch);
          createNetwork(model).lossAndGradient(weights, batch);
          assert.equal(tf.memory().numTensors, held);
        });
      });
    }
  }
});

describe("models of layers", () => {
  it("are documented, every kind of layer of them", () => {
    const page = readFileSync(new URL("../../docs/running.md", import.meta.url), "utf8");
    for (const { schema } of LAYER_KINDS) assert.ok(page.includes(`\n   | \`${schema.shape.kind.value}\` |`));
  });

  const dense = { kind: "dense", units: 3 };
  for (const [name, description] of Object.entries<object>({
    "an unknown layer": { layers: [{ kind: "attention" }] },
    "a layer with another's option": { layers: [{ kind: "flatten", units: 3 }, dense] },
    "no layers": { layers: [] },
    "too many layers": { layers: Array.from({ length: 65 }, () => dense) },
    "other scores than classes": { layers: [{ kind: "dense", units: 4 }] },
    "scores in the shape of an image": { inputShape: [1, 1, 3], layers: [{ kind: "activation", function: "relu" }] },
    "nothing to train": { inputShape: [3], layers: [{ kind: "activation", function: "relu" }] },
    "a dense layer on an image": { inputShape: [2, 2, 1], layers: [dense] },
    "a convolution of a row": { layers: [{ kind: "convolution", filters: 2 }, { kind: "flatten" }, dense] },
    "a convolution of too small an image": {
      inputShape: [4, 2, 1],
      layers: [{ kind: "convolution", filters: 2 }, { kind: "flatten" }, dense],
    },
    "pooling of a row": { layers: [{ kind: "maxPooling", side: 2 }, dense] },
    "pooling that leaves nothing": {
      inputShape: [4, 2, 1],
      layers: [{ kind: "maxPooling", side: 3 }, { kind: "flatten" }, dense],
    },
    "average pooling of a row": { layers: [{ kind: "averagePooling", side: 2 }, dense] },
    "global pooling of a row": { layers: [{ kind: "globalAveragePooling" }, dense] },
    "an embedding of an image": {
      inputShape: [2, 2, 1],
      layers: [{ kind: "embedding", words: 3, width: 2 }, { kind: "flatten" }, dense],
    },
    "a convolution of a series on an image": {
      inputShape: [4, 4, 1],
      layers: [{ kind: "convolution1d", filters: 2 }, { kind: "flatten" }, dense],
    },
    "a convolution of too short a series": {
      inputShape: [2, 1, 1],
      layers: [{ kind: "convolution1d", filters: 2 }, { kind: "flatten" }, dense],
    },
    "dropout of everything": { layers: [{ kind: "dropout", rate: 1 }, dense] },
    "group normalisation of a row": { layers: [{ kind: "groupNormalisation", groups: 2 }, dense] },
    "groups that do not divide the channels": {
      inputShape: [2, 2, 3],
      layers: [{ kind: "groupNormalisation", groups: 2 }, { kind: "flatten" }, dense],
    },
  })) {
    it(`are refused with ${name}`, () =>
      throwsCode(
        () => parseModel({ kind: "layers", inputShape: [6], classCount: 3, ...description }),
        "MODEL_DESCRIPTION_INVALID",
      ));
  }

  it("are what the shorter descriptions stand for", () => {
    const short = parseModel({ kind: "cnn", inputShape: [9, 8, 2], filters: [3, 4], dense: [5], classCount: 3 });
    const long = parseModel({
      kind: "layers",
      inputShape: [9, 8, 2],
      layers: [
        { kind: "convolution", filters: 3, activation: "relu" },
        { kind: "convolution", filters: 4, activation: "relu" },
        { kind: "maxPooling", side: 2 },
        { kind: "flatten" },
        { kind: "dense", units: 5, activation: "relu" },
        { kind: "dense", units: 3 },
      ],
      classCount: 3,
    });
    assert.deepEqual(tensorsOf(long), tensorsOf(short));
    assert.deepEqual(initialWeightsOf(long, 4), initialWeightsOf(short, 4));
    const batch = batchFor(144, "cnn");
    const gradientIn = (model: Model): object =>
      createNetwork(model).lossAndGradient(initialWeightsOf(short, 4), batch);
    assert.deepEqual(gradientIn(long), gradientIn(short));
  });

  it("keep the initial weights that documents of the first kinds have always had", () => {
    for (const [description, digest] of GOLDEN)
      assert.equal(sha256Of(initialWeightsOf(parseModel(description), 7)), digest);
  });
});
