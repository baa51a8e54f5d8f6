import assert from "node:assert/strict";
import { describe, it } from "mocha";
import fc from "fast-check";
import { denseExampleGradients } from "../../../adapters/learning/dense-gradient.ts";
import { loadDataset } from "../../../adapters/learning/dataset.ts";
import { initialWeightsOf, parseModel } from "../../../adapters/learning/model.ts";
import { createNetwork } from "../../../adapters/learning/network.ts";
import { addClipped, clippingGrid, NOISE_STD_DEV_STEPS, poissonBatch } from "../../../adapters/learning/private-training.ts";
import { createTrainer } from "../../../adapters/learning/trainer.ts";
import type { PrivacyOptions } from "../../../adapters/learning/trainer.ts";
import { rejectsCode } from "../../support/errors.ts";
import { check } from "../../support/properties.ts";
import { seededRandom } from "../../support/random.ts";

const MODEL = parseModel({ kind: "mlp", inputShape: [6], hidden: [5], classCount: 3 });
const WEIGHTS = initialWeightsOf(MODEL, 1);
const OPTIONS = { learningRate: 2, momentum: 0, batchSize: 100, localEpochs: 1, seed: 1 };
const PRIVACY: Omit<PrivacyOptions, "random"> = { clipNorm: 1, noiseMultiplier: 1.5, samplingRate: 0.1, steps: 20 };

const features = fc.array(fc.float({ noNaN: true, min: Math.fround(-1e30), max: Math.fround(1e30) }), { minLength: 6, maxLength: 6 }).map((values) => Float32Array.from(values));
const example = fc.tuple(features, fc.nat({ max: 2 }));

describe("per-example gradients", () => {
  it("agree with the network's gradient of one example, and with their own norm", async () => {
    await createTrainer(MODEL);
    const network = createNetwork(MODEL);
    for (let label = 0; label < 3; label++) {
      const input = Float32Array.of(0.3, -1, 2, 0.5, -0.2, 1.1);
      const expected = network.lossAndGradient(WEIGHTS, { features: input, labels: Int32Array.of(label) });
      const actual = denseExampleGradients(MODEL)(WEIGHTS, input, label);
      const sum = new Float64Array(WEIGHTS.length);
      actual.addTruncated(sum, 2 ** 30);
      assert.ok(sum.every((value, i) => Math.abs(value / 2 ** 30 - expected.gradient[i]!) < 1e-6));
      assert.ok(Math.abs(actual.squaredNorm - sum.reduce((total, value) => total + (value / 2 ** 30) ** 2, 0)) < 1e-6);
      assert.ok(Math.abs(actual.loss - expected.loss) < 1e-6);
    }
  });
});

describe("clipping", () => {
  it("lets one example change the sum by at most the sensitivity, in exact integers", () => {
    check(
      fc.tuple(fc.array(example, { maxLength: 5 }), example, fc.double({ min: 1e-3, max: 100, noNaN: true }), fc.double({ min: 0.1, max: 100, noNaN: true })),
      ([others, [input, label], clipNorm, noiseMultiplier]) => {
        const grid = clippingGrid({ clipNorm, noiseMultiplier });
        const gradients = denseExampleGradients(MODEL);
        const without = new Float64Array(WEIGHTS.length);
        for (const [values, target] of others) addClipped(without, gradients(WEIGHTS, values, target), grid);
        const all = without.slice();
        addClipped(all, gradients(WEIGHTS, input, label), grid);
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
    const gradients = denseExampleGradients(MODEL);
    const norm = (scale: number): number => {
      const sum = new Float64Array(WEIGHTS.length);
      addClipped(sum, gradients(WEIGHTS, Float32Array.of(scale, -scale, 2 * scale, 0, scale, scale), 0), grid);
      return Math.hypot(...sum) / grid.stepsPerUnit;
    };
    assert.ok(norm(50) > 0.4999 && norm(50) <= 0.5);
  });

  it("adds nothing for a gradient that is not finite, and does not stop", () => {
    const sum = new Float64Array(WEIGHTS.length);
    for (const squaredNorm of [NaN, Infinity]) {
      addClipped(sum, { loss: 1, squaredNorm, addTruncated: (target) => target.fill(1) }, clippingGrid({ clipNorm: 1, noiseMultiplier: 1 }));
    }
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
    const data = { features: new Float32Array(6), labels: new Int32Array(1), sampleCount: 1, featureShape: [6], classCount: 3 };
    const { steps } = await trainer.train(WEIGHTS, data, { ...OPTIONS, privacy: { ...PRIVACY, random: seededRandom("one row") } });
    assert.equal(steps, 20);
  });

  it("adds noise of the stated standard deviation", async () => {
    const trainer = await createTrainer({ kind: "mlp", inputShape: [400], hidden: [], classCount: 10 });
    const start = new Float32Array(4010);
    const data = { features: new Float32Array(400), labels: new Int32Array(1), sampleCount: 1, featureShape: [400], classCount: 10 };
    const privacy = { clipNorm: 0.5, noiseMultiplier: 3, samplingRate: 1e-9, steps: 1, random: seededRandom("noise") };
    const { weights } = await trainer.train(start, data, { ...OPTIONS, learningRate: 1, batchSize: 10, privacy });
    const stdDev = Math.sqrt(weights.reduce((sum, value) => sum + value * value, 0) / weights.length);
    assert.ok(Math.abs(stdDev - (3 * 0.5) / 10) < 0.01, `${stdDev}`);
  });

  it("depends on nothing but its arguments and the random bytes", async () => {
    const trainer = await createTrainer(MODEL);
    const data = { features: Float32Array.from({ length: 60 }, (_, i) => Math.sin(i)), labels: new Int32Array(10), sampleCount: 10, featureShape: [6], classCount: 3 };
    const run = async (seed: string): Promise<Float32Array> => (await trainer.train(WEIGHTS, data, { ...OPTIONS, privacy: { ...PRIVACY, random: seededRandom(seed) } })).weights;
    assert.deepEqual(await run("a"), await run("a"));
    assert.notDeepEqual(await run("a"), await run("b"));
  });

  it("still learns the digits with a linear model", async function () {
    this.timeout(20_000);
    const { train, test } = await loadDataset("digits");
    const trainer = await createTrainer({ kind: "mlp", inputShape: [64], hidden: [], classCount: 10 });
    const { weights } = await trainer.train(trainer.initialWeights(1), train, { ...OPTIONS, batchSize: 144, privacy: { ...PRIVACY, steps: 60, random: seededRandom("digits") } });
    assert.ok((await trainer.evaluate(weights, test)).accuracy > 0.85);
  });

  it("trains convolutional models", async () => {
    const trainer = await createTrainer({ kind: "cnn", inputShape: [4, 4, 1], filters: [2], dense: [], classCount: 2 });
    const data = { features: Float32Array.from({ length: 64 }, (_, i) => Math.cos(i)), labels: Int32Array.of(0, 1, 0, 1), sampleCount: 4, featureShape: [4, 4, 1], classCount: 2 };
    const { weights } = await trainer.train(trainer.initialWeights(1), data, { ...OPTIONS, learningRate: 0.1, privacy: { ...PRIVACY, samplingRate: 0.9, steps: 3, random: seededRandom("cnn") } });
    assert.equal(weights.length, trainer.parameterCount);
  });

  for (const change of [{ clipNorm: 0 }, { clipNorm: Infinity }, { noiseMultiplier: 0 }, { noiseMultiplier: 2000 }, { noiseMultiplier: NaN }, { samplingRate: 0 }, { samplingRate: 1.1 }, { steps: 0 }, { steps: 2.5 }]) {
    it(`refuses ${Object.entries(change).join()}`, async () => {
      const trainer = await createTrainer(MODEL);
      const data = { features: new Float32Array(6), labels: new Int32Array(1), sampleCount: 1, featureShape: [6], classCount: 3 };
      await rejectsCode(trainer.train(WEIGHTS, data, { ...OPTIONS, privacy: { ...PRIVACY, random: seededRandom("bad"), ...change } }), "PRIVACY_PARAMETERS_INVALID");
    });
  }
});
