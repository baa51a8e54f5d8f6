/** What embedding, pooling, one-dimensional convolution and dropout compute, against their definitions. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { after, before, describe, it } from "mocha";
import { selectBackend } from "../../learning/backend.ts";
import { buildLayer } from "../../learning/layers/registry.ts";
import type { LayerDescription } from "../../learning/layers/registry.ts";
import { parseModel } from "../../learning/model.ts";
import { createNetwork } from "../../learning/network.ts";
import { seededStream } from "../../learning/seeded-stream.ts";
import { scoped } from "../../learning/tensorflow.ts";
import { createTrainer } from "../../learning/trainer.ts";
import { seededRandom } from "../support/random.ts";

/** One example through a layer. */
function outputOf(
  description: LayerDescription,
  inputShape: readonly number[],
  input: readonly number[],
  parameters: readonly (readonly number[])[] = [],
): { readonly shape: readonly number[]; readonly values: readonly number[] } {
  const layer = buildLayer(description, inputShape);
  const values = scoped(tf, () => {
    const held = parameters.map((one, i) => tf.tensor([...one], [...layer.tensors[i]!.shape]));
    return [...layer.forward(tf, held, tf.tensor([...input], [1, ...inputShape])).dataSync()];
  });
  return { shape: layer.outputShape, values };
}

describe("a layer", () => {
  before(() => selectBackend("cpu").then(() => undefined));
  after(() => selectBackend("wasm"));

  it("embedding gives each word its row, and keeps strangers within the table", () => {
    const table = [10, 11, 20, 21, 30, 31];
    assert.deepEqual(outputOf({ kind: "embedding", words: 3, width: 2 }, [5], [2, 0, -4, 7, 1.9], [table]), {
      shape: [5, 1, 2],
      values: [30, 31, 10, 11, 10, 11, 30, 31, 20, 21],
    });
  });

  it("convolution1d sees the steps of its kernel and all channels", () => {
    // Three steps of two channels; a kernel of two steps: y = x[t] + 2·x[t+1] of the first, minus the second channel.
    const kernel = [1, -1, 2, -1];
    const found = outputOf(
      { kind: "convolution1d", filters: 1, kernelSize: 2 },
      [3, 1, 2],
      [1, 5, 2, 6, 3, 7],
      [kernel, [0.5]],
    );
    assert.deepEqual(found, { shape: [2, 1, 1], values: [1 - 5 + 4 - 6 + 0.5, 2 - 6 + 6 - 7 + 0.5] });
  });

  it("averagePooling has the mean of each window, of images and of series", () => {
    const image = [1, 2, 9, 3, 4, 9, 9, 9, 9];
    assert.deepEqual(outputOf({ kind: "averagePooling", side: 2 }, [3, 3, 1], image), {
      shape: [1, 1, 1],
      values: [2.5],
    });
    const series = outputOf({ kind: "averagePooling", side: 2 }, [5, 1, 1], [1, 3, 5, 9, 100]);
    assert.deepEqual(series, { shape: [2, 1, 1], values: [2, 7] });
  });

  it("maxPooling has the largest of each window of a series", () => {
    assert.deepEqual(outputOf({ kind: "maxPooling", side: 2 }, [5, 1, 1], [1, 3, 9, 5, 100]), {
      shape: [2, 1, 1],
      values: [3, 9],
    });
  });

  it("globalAveragePooling has the mean of each channel", () => {
    assert.deepEqual(outputOf({ kind: "globalAveragePooling" }, [2, 2, 2], [1, 10, 2, 20, 3, 30, 4, 40]), {
      shape: [2],
      values: [2.5, 25],
    });
  });
});

describe("dropout", () => {
  before(() => selectBackend("cpu").then(() => undefined));
  after(() => selectBackend("wasm"));

  const SIZE = 4000;
  const layer = buildLayer({ kind: "dropout", rate: 0.25 }, [SIZE]);
  const chance = (seed: number) => () => seededStream("dropout-test", seed);
  const through = (seed?: number): number[] =>
    scoped(tf, () => [
      ...layer.forward(tf, [], tf.ones([1, SIZE]), seed === undefined ? undefined : chance(seed)).dataSync(),
    ]);

  it("leaves out about as many values as its rate says, and keeps the mean", () => {
    const values = through(1);
    const zeros = values.filter((value) => value === 0).length;
    // Four standard deviations of a binomial.
    assert.ok(Math.abs(zeros - SIZE / 4) < 4 * Math.sqrt(SIZE * 0.25 * 0.75), `${zeros} of ${SIZE}`);
    assert.ok(values.every((value) => value === 0 || Math.abs(value - 4 / 3) < 1e-6));
  });

  it("follows its seed, and leaves answers alone", () => {
    assert.deepEqual(through(1), through(1));
    assert.notDeepEqual(through(1), through(2));
    assert.ok(through().every((value) => value === 1));
  });

  it("has the gradient of the pass that it was in", () => {
    const network = createNetwork(
      parseModel({
        kind: "layers",
        inputShape: [6],
        layers: [
          { kind: "dense", units: 8 },
          { kind: "dropout", rate: 0.5 },
          { kind: "dense", units: 2 },
        ],
        classCount: 2,
      }),
    );
    const stream = seededStream("dropout-gradient", 1);
    const weights = Float32Array.from({ length: 74 }, () => stream.normal());
    const batch = {
      features: Float32Array.from({ length: 24 }, () => stream.normal()),
      labels: Int32Array.of(0, 1, 1, 0),
    };
    const { gradient } = network.lossAndGradient(weights, batch, 5);
    const step = 2 ** -9;
    gradient.forEach((slope, i) => {
      const lossAt = (distance: number): number => {
        const moved = weights.slice();
        moved[i]! += distance;
        return network.lossAndGradient(moved, batch, 5).loss;
      };
      assert.ok(Math.abs(slope - (lossAt(step) - lossAt(-step)) / (2 * step)) < 2e-3, `${i}`);
    });
    assert.notDeepEqual(network.lossAndGradient(weights, batch, 6).gradient, gradient);
    assert.ok(network.takesChance);
  });

  it("trains by the seed of the options alone, and privately by the secure source alone", async () => {
    const model = {
      kind: "layers",
      inputShape: [4],
      layers: [
        { kind: "dense", units: 6, activation: "relu" },
        { kind: "dropout", rate: 0.5 },
        { kind: "dense", units: 2 },
      ],
      classCount: 2,
    };
    const trainer = await createTrainer(model, { backend: "cpu" });
    const stream = seededStream("dropout-training", 1);
    const data = {
      features: Float32Array.from({ length: 80 }, () => stream.normal()),
      labels: Int32Array.from({ length: 20 }, (_, i) => i % 2),
      ...{ exampleCount: 20, featureShape: [4], classCount: 2 },
    };
    const start = trainer.initialWeights(1);
    const options = { learningRate: 0.1, momentum: 0, batchSize: 20, localEpochs: 3, seed: 1 };
    const weightsBy = async (parts: object): Promise<number[]> => [
      ...(await trainer.train(start, data, { ...options, ...parts })).weights,
    ];
    assert.deepEqual(await weightsBy({}), await weightsBy({}));
    assert.notDeepEqual(await weightsBy({ seed: 2 }), await weightsBy({}));
    const privacy = (name: string): object => ({
      privacy: { clipNorm: 1, noiseMultiplier: 1, samplingRate: 1, steps: 2, random: seededRandom(name) },
    });
    assert.deepEqual(await weightsBy(privacy("a")), await weightsBy({ ...privacy("a"), seed: 2 }));
    assert.notDeepEqual(await weightsBy(privacy("a")), await weightsBy(privacy("b")));
  });
});
