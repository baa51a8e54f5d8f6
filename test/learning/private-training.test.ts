import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import { selectBackend } from "../../learning/backend.ts";
import { loadDataset } from "../../learning/dataset.ts";
import { addTruncated, squaredNormOf } from "../../learning/example-gradients.ts";
import type { ExampleGradients } from "../../learning/example-gradients.ts";
import { initialWeightsOf, parseModel } from "../../learning/model.ts";
import { createNetwork } from "../../learning/network.ts";
import { addClipped, clippingGrid, poissonBatch } from "../../learning/trainers/dp-sgd.ts";
import { seededStream } from "../../learning/seeded-stream.ts";
import { classEvaluation } from "../../learning/evaluation.ts";
import { createTrainer } from "../../learning/trainer.ts";
import type { PrivacyOptions } from "../../learning/trainers/training-method.ts";
import { NOISE_STD_DEV_STEPS } from "../../learning/training-noise.ts";
import { rejectsCode } from "../support/errors.ts";
import { check } from "../support/properties.ts";
import { seededRandom } from "../support/random.ts";

const MODEL = parseModel({ kind: "mlp", inputShape: [6], hidden: [5], classCount: 3 });
const WEIGHTS = initialWeightsOf(MODEL, 1);
const OPTIONS = { learningRate: 2, momentum: 0, batchSize: 100, localEpochs: 1, seed: 1 };
const PRIVACY: Omit<PrivacyOptions, "random"> = { clipNorm: 1, noiseMultiplier: 1.5, samplingRate: 0.1, steps: 20 };

const TANH_MLP = parseModel({ kind: "mlp", inputShape: [6], hidden: [5], classCount: 3, activation: "tanh" });
const CNN = parseModel({ kind: "cnn", inputShape: [9, 8, 2], filters: [3, 4], dense: [5], classCount: 3 });
const TANH_CNN = parseModel({ ...CNN, activation: "tanh" });
/** Examples in a group: features, then labels. */
const GROUP = 8;

const features = fc
  .array(fc.float({ noNaN: true, min: Math.fround(-1e15), max: Math.fround(1e15) }), { minLength: 6, maxLength: 6 })
  .map((values) => Float32Array.from(values));
const example = fc.tuple(features, fc.nat({ max: 2 }));

/** The gradients of up to eight examples, in a group of eight. */
function gradientsOf(examples: readonly (readonly [Float32Array, number])[]): ExampleGradients {
  const batch = { features: new Float32Array(GROUP * 6), labels: new Int32Array(GROUP) };
  examples.forEach(([values, label], i) => {
    batch.features.set(values, i * 6);
    batch.labels[i] = label;
  });
  return createNetwork(MODEL).exampleGradients(WEIGHTS, batch);
}

/** All that is known of one example, as numbers: at this scale nothing of a product of floats is cut off. */
function resultOf(gradients: ExampleGradients, example: number, weightCount: number): number[] {
  const sum = new Float64Array(weightCount);
  addTruncated(sum, gradients, [{ example, scale: 2 ** 300 }]);
  return [gradients.losses[example]!, squaredNormOf(gradients, example), ...sum];
}

describe("per-example gradients", () => {
  before(() => selectBackend("wasm"));
  after(() => selectBackend("wasm"));

  for (const [name, model, size] of [
    ["an MLP", MODEL, 6],
    ["a CNN", CNN, 144],
    ["an MLP with tanh", TANH_MLP, 6],
    ["a CNN with tanh", TANH_CNN, 144],
  ] as const) {
    it(`of ${name} agree with the network's gradient of one example, and with their own norm`, () => {
      const network = createNetwork(model);
      const weights = initialWeightsOf(model, 1);
      const stream = seededStream("examples", 1);
      const batch = {
        features: Float32Array.from({ length: GROUP * size }, () => stream.normal()),
        labels: Int32Array.from({ length: GROUP }, (_, i) => i % 3),
      };
      const actual = network.exampleGradients(weights, batch);
      for (let i = 0; i < GROUP; i++) {
        const expected = network.lossAndGradient(weights, {
          features: batch.features.slice(i * size, (i + 1) * size),
          labels: batch.labels.slice(i, i + 1),
        });
        const sum = new Float64Array(weights.length);
        addTruncated(sum, actual, [{ example: i, scale: 2 ** 30 }]);
        assert.ok(sum.every((value, k) => Math.abs(value / 2 ** 30 - expected.gradient[k]!) < 1e-5));
        assert.ok(
          Math.abs(squaredNormOf(actual, i) / sum.reduce((total, value) => total + (value / 2 ** 30) ** 2, 0) - 1) <
            1e-5,
        );
        assert.ok(Math.abs(actual.losses[i]! - expected.loss) < 1e-5);
      }
    });

    for (const backend of ["wasm", "cpu"] as const) {
      it(`of ${name} on ${backend} depend bit for bit on nothing but the example: not on its place, nor on the others, be they infinite`, async () => {
        await selectBackend(backend);
        const network = createNetwork(model);
        const weights = initialWeightsOf(model, 1);
        const stream = seededStream("neighbours", 2);
        const one = Float32Array.from({ length: size }, () => stream.normal());
        const seen = new Set<string>();
        for (let trial = 0; trial < 24; trial++) {
          const place = stream.below(GROUP);
          const batch = {
            features: Float32Array.from({ length: GROUP * size }, () =>
              trial % 3 === 0 ? 0 : trial % 3 === 1 ? stream.normal() : Infinity,
            ),
            labels: Int32Array.from({ length: GROUP }, () => stream.below(3)),
          };
          batch.features.set(one, place * size);
          batch.labels[place] = 1;
          seen.add(resultOf(network.exampleGradients(weights, batch), place, weights.length).join());
        }
        assert.equal(seen.size, 1);
      });
    }
  }

  it("leave no tensor behind", () => {
    const before = tf.memory().numTensors;
    createNetwork(CNN).exampleGradients(initialWeightsOf(CNN, 1), {
      features: new Float32Array(GROUP * 144),
      labels: new Int32Array(GROUP),
    });
    assert.equal(tf.memory().numTensors, before);
  });
});

describe("clipping", () => {
  it("lets one example change the sum by at most the sensitivity, in exact integers", () => {
    check(
      fc.tuple(
        fc.array(example, { maxLength: 5 }),
        example,
        fc.double({ min: 1e-3, max: 100, noNaN: true }),
        fc.double({ min: 0.1, max: 100, noNaN: true }),
      ),
      ([others, [input, label], clipNorm, noiseMultiplier]) => {
        const grid = clippingGrid({ clipNorm, noiseMultiplier });
        const without = new Float64Array(WEIGHTS.length);
        addClipped(without, gradientsOf(others), others.length, grid);
        const all = new Float64Array(WEIGHTS.length);
        addClipped(all, gradientsOf([[input, label], ...others]), others.length + 1, grid);
        const change = all.reduce((sum, value, i) => sum + BigInt(value - without[i]!) ** 2n, 0n);
        assert.ok(all.every(Number.isSafeInteger));
        assert.ok(change <= BigInt(grid.sensitivitySteps) ** 2n, `${change}`);
        assert.ok(NOISE_STD_DEV_STEPS / grid.sensitivitySteps >= noiseMultiplier);
      },
      300,
    );
  });

  it("uses nearly all of the sensitivity for a large gradient, and leaves a small one as it is", () => {
    const grid = clippingGrid({ clipNorm: 0.5, noiseMultiplier: 2 });
    const norm = (scale: number): number => {
      const sum = new Float64Array(WEIGHTS.length);
      addClipped(sum, gradientsOf([[Float32Array.of(scale, -scale, 2 * scale, 0, scale, scale), 0]]), 1, grid);
      return Math.hypot(...sum) / grid.stepsPerUnit;
    };
    assert.ok(norm(50) > 0.4999 && norm(50) <= 0.5);
  });

  it("adds nothing for a gradient that is not finite, and does not stop", () => {
    const sum = new Float64Array(WEIGHTS.length);
    const grid = clippingGrid({ clipNorm: 1, noiseMultiplier: 1 });
    const finite = gradientsOf([[new Float32Array(6).fill(1), 0]]);
    for (const bad of [NaN, Infinity, -Infinity]) {
      const both = gradientsOf([
        [new Float32Array(6).fill(1), 0],
        [new Float32Array(6).fill(bad), 0],
      ]);
      const alone = new Float64Array(WEIGHTS.length);
      const loss = addClipped(alone, finite, 1, grid);
      sum.fill(0);
      assert.equal(addClipped(sum, both, 2, grid), loss);
      assert.deepEqual(sum, alone);
    }
  });

  it("adds the filling of a group nowhere", () => {
    const sum = new Float64Array(WEIGHTS.length);
    assert.equal(addClipped(sum, gradientsOf([]), 0, clippingGrid({ clipNorm: 1, noiseMultiplier: 1 })), 0);
    assert.ok(sum.every((value) => value === 0));
  });
});

describe("Poisson batches", () => {
  it("hold each row with the sampling rate, independently", () => {
    const random = seededRandom("poisson");
    const sizes = Array.from({ length: 400 }, () => poissonBatch(500, 0.1, random).length);
    const mean = sizes.reduce((a, b) => a + b) / sizes.length;
    const variance = sizes.reduce((sum, size) => sum + (size - mean) ** 2, 0) / sizes.length;
    assert.ok(Math.abs(mean - 50) < 5 * Math.sqrt(45 / 400), `mean ${mean}`);
    assert.ok(Math.abs(variance - 45) < 5 * 45 * Math.sqrt(2 / 400), `variance ${variance}`);
  });

  it("hold every row at rate 1 and can be empty", () => {
    assert.equal(poissonBatch(50, 1, seededRandom("all")).length, 50);
    assert.equal(poissonBatch(5, 1e-9, seededRandom("none")).length, 0);
  });
});

describe("private training", () => {
  it("takes the same number of steps whatever the data is, down to one row", async () => {
    const trainer = await createTrainer(MODEL);
    const data = {
      features: new Float32Array(6),
      labels: new Int32Array(1),
      exampleCount: 1,
      featureShape: [6],
      classCount: 3,
    };
    const { steps } = await trainer.train(WEIGHTS, data, {
      ...OPTIONS,
      privacy: { ...PRIVACY, random: seededRandom("one row") },
    });
    assert.equal(steps, 20);
  });

  it("adds noise of the stated standard deviation", async () => {
    const trainer = await createTrainer({ kind: "mlp", inputShape: [400], hidden: [], classCount: 10 });
    const start = new Float32Array(4010);
    const data = {
      features: new Float32Array(400),
      labels: new Int32Array(1),
      exampleCount: 1,
      featureShape: [400],
      classCount: 10,
    };
    const privacy = { clipNorm: 0.5, noiseMultiplier: 3, samplingRate: 1e-9, steps: 1, random: seededRandom("noise") };
    const { weights } = await trainer.train(start, data, { ...OPTIONS, learningRate: 1, batchSize: 10, privacy });
    const stdDev = Math.sqrt(weights.reduce((sum, value) => sum + value * value, 0) / weights.length);
    assert.ok(Math.abs(stdDev - (3 * 0.5) / 10) < 0.01, `${stdDev}`);
  });

  it("depends on nothing but its arguments and the random bytes", async () => {
    const trainer = await createTrainer(MODEL);
    const data = {
      features: Float32Array.from({ length: 60 }, (_, i) => Math.sin(i)),
      labels: new Int32Array(10),
      exampleCount: 10,
      featureShape: [6],
      classCount: 3,
    };
    const run = async (seed: string): Promise<Float32Array> =>
      (await trainer.train(WEIGHTS, data, { ...OPTIONS, privacy: { ...PRIVACY, random: seededRandom(seed) } })).weights;
    assert.deepEqual(await run("a"), await run("a"));
    assert.notDeepEqual(await run("a"), await run("b"));
  });

  it("still learns the digits with a linear model", async function () {
    this.timeout(20_000);
    const { train, test } = await loadDataset("digits");
    const trainer = await createTrainer({ kind: "mlp", inputShape: [64], hidden: [], classCount: 10 });
    const { weights } = await trainer.train(trainer.initialWeights(1), train, {
      ...OPTIONS,
      batchSize: 144,
      privacy: { ...PRIVACY, steps: 60, random: seededRandom("digits") },
    });
    assert.ok(classEvaluation(await trainer.evaluate(weights, test)).accuracy > 0.85);
  });

  it("trains convolutional models", async () => {
    const trainer = await createTrainer({ kind: "cnn", inputShape: [4, 4, 1], filters: [2], dense: [], classCount: 2 });
    const data = {
      features: Float32Array.from({ length: 64 }, (_, i) => Math.cos(i)),
      labels: Int32Array.of(0, 1, 0, 1),
      exampleCount: 4,
      featureShape: [4, 4, 1],
      classCount: 2,
    };
    const { weights } = await trainer.train(trainer.initialWeights(1), data, {
      ...OPTIONS,
      learningRate: 0.1,
      privacy: { ...PRIVACY, samplingRate: 0.9, steps: 3, random: seededRandom("cnn") },
    });
    assert.equal(weights.length, trainer.parameterCount);
  });

  for (const change of [
    { clipNorm: 0 },
    { clipNorm: Infinity },
    { noiseMultiplier: 0 },
    { noiseMultiplier: 2000 },
    { noiseMultiplier: NaN },
    { samplingRate: 0 },
    { samplingRate: 1.1 },
    { steps: 0 },
    { steps: 2.5 },
  ]) {
    it(`refuses ${Object.entries(change).join()}`, async () => {
      const trainer = await createTrainer(MODEL);
      const data = {
        features: new Float32Array(6),
        labels: new Int32Array(1),
        exampleCount: 1,
        featureShape: [6],
        classCount: 3,
      };
      await rejectsCode(
        trainer.train(WEIGHTS, data, { ...OPTIONS, privacy: { ...PRIVACY, random: seededRandom("bad"), ...change } }),
        "PRIVACY_PARAMETERS_INVALID",
      );
    });
  }
});
