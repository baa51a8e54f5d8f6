/** Several models as one: their weights, their training, their answers, and what they are refused. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "mocha";
import { classEvaluation } from "../../learning/evaluation.ts";
import { bootstrapOf, memberSeed } from "../../learning/ensemble.ts";
import { loadDataset } from "../../learning/dataset.ts";
import { modelTensors } from "../../learning/model.ts";
import { createTrainer } from "../../learning/trainer.ts";
import { assertRunnable, parseSpecification } from "../../task/create-task.ts";
import { modelInterface } from "../../task/model-interface.ts";
import { rejectsCode, throwsCode } from "../support/errors.ts";
import { seededRandom } from "../support/random.ts";

const MEMBER = { kind: "mlp", inputShape: [64], hidden: [8], classCount: 10 };
const ENSEMBLE = { kind: "ensemble", members: 3, member: MEMBER };
const OPTIONS = { learningRate: 0.05, momentum: 0.9, batchSize: 32, localEpochs: 2, seed: 4 };
const ROOT = new URL("../../", import.meta.url);

describe("an ensemble", function () {
  this.timeout(30_000);

  it("has the tensors of its members, one after the other, each begun from a seed of its own", async () => {
    const [trainer, one] = [await createTrainer(ENSEMBLE), await createTrainer(MEMBER)];
    const size = one.parameterCount;
    assert.equal(trainer.parameterCount, 3 * size);
    assert.deepEqual(
      modelTensors(ENSEMBLE).map(({ name }) => name),
      [1, 2, 3].flatMap((i) => modelTensors(MEMBER).map(({ name }) => `member_${i}.${name}`)),
    );
    const weights = trainer.initialWeights(7);
    for (let i = 0; i < 3; i++)
      assert.deepEqual(weights.slice(i * size, (i + 1) * size), one.initialWeights(memberSeed(i, 7)));
    assert.notDeepEqual(weights.slice(0, size), weights.slice(size, 2 * size));
  });

  it("trains each member on its own bootstrap as that member alone would be trained", async () => {
    const { train } = await loadDataset("digits?client=0&clients=5&seed=1");
    const [trainer, one] = [await createTrainer(ENSEMBLE), await createTrainer(MEMBER)];
    const start = trainer.initialWeights(1);
    const { weights } = await trainer.train(start, train, OPTIONS);
    const size = one.parameterCount;
    for (let i = 0; i < 3; i++) {
      const own = { ...OPTIONS, seed: memberSeed(i, OPTIONS.seed) };
      const alone = await one.train(start.slice(i * size, (i + 1) * size), bootstrapOf(train, i), own);
      assert.deepEqual(weights.slice(i * size, (i + 1) * size), alone.weights);
    }
  });

  it("draws as many examples as there are, some of them twice, and the same ones in every round", async () => {
    const { train } = await loadDataset("digits");
    const [first, again, other] = [bootstrapOf(train, 0), bootstrapOf(train, 0), bootstrapOf(train, 1)];
    assert.deepEqual(first.features, again.features);
    assert.notDeepEqual(first.labels, other.labels);
    assert.equal(first.exampleCount, train.exampleCount);
    const seen = new Set(
      Array.from({ length: train.exampleCount }, (_, i) => first.features.slice(i * 64, (i + 1) * 64).join()),
    );
    // 1 − 1/e of them.
    assert.ok(Math.abs(seen.size / train.exampleCount - 0.632) < 0.03, `${seen.size}`);
  });

  it("answers with the mean of its members' probabilities", async () => {
    const { test } = await loadDataset("digits");
    const [trainer, one] = [await createTrainer(ENSEMBLE), await createTrainer(MEMBER)];
    const weights = trainer.initialWeights(3);
    const size = one.parameterCount;
    const alone = await Promise.all([0, 1, 2].map((i) => one.predict(weights.slice(i * size, (i + 1) * size), test)));
    const together = await trainer.predict(weights, test);
    together.forEach((probability, i) => {
      const mean = (alone[0]![i]! + alone[1]![i]! + alone[2]![i]!) / 3;
      assert.ok(Math.abs(probability - mean) < 1e-6);
    });
    const { loss } = classEvaluation(await trainer.evaluate(weights, test));
    const expected = [...test.labels].reduce((sum, label, i) => sum - Math.log(together[i * 10 + label]!), 0);
    assert.ok(Math.abs(loss - expected / test.exampleCount) < 1e-5);
  });

  it("answers with the mean of its members' numbers, where they answer with numbers", async () => {
    const member = { kind: "mlp", inputShape: [1], hidden: [], head: { kind: "regression" } };
    const trainer = await createTrainer({ kind: "ensemble", members: 2, member });
    const data = {
      features: Float32Array.of(2),
      labels: new Int32Array(1),
      targets: Float32Array.of(0),
      ...{ exampleCount: 1, featureShape: [1], classCount: 0 },
    };
    assert.deepEqual([...(await trainer.predict(Float32Array.of(1, 0, 3, 1), data))], [(2 + 7) / 2]);
  });

  it("is described by its members' layers in a checkpoint", () => {
    const { outputs, layers } = modelInterface({ model: ENSEMBLE, data: undefined, preprocessing: undefined });
    assert.equal(outputs?.kind, "classes");
    assert.deepEqual(
      layers!.map(({ member, tensors }) => [member, tensors.length]),
      [1, 2, 3].flatMap((i) => [
        [i, 0],
        [i, 2],
        [i, 2],
      ]),
    );
  });

  it("is refused with too few or wrong members, and where single records are to be protected", async () => {
    const invalid = (model: object): void => throwsCode(() => modelTensors(model), "MODEL_DESCRIPTION_INVALID");
    invalid({ ...ENSEMBLE, members: 1 });
    invalid({ ...ENSEMBLE, members: 65 });
    invalid({ ...ENSEMBLE, member: ENSEMBLE });
    invalid({ ...ENSEMBLE, member: { ...MEMBER, classCount: 1 } });
    invalid({ ...ENSEMBLE, other: 1 });
    const trainer = await createTrainer(ENSEMBLE);
    const { train } = await loadDataset("digits?samples=20");
    const privacy = { clipNorm: 1, noiseMultiplier: 1, samplingRate: 1, steps: 1, random: seededRandom("ensemble") };
    const start = trainer.initialWeights(1);
    await rejectsCode(trainer.train(start, train, { ...OPTIONS, privacy }), "PRIVACY_PARAMETERS_INVALID");
    const task = async (name: string): Promise<{ readonly document: { readonly model: object } }> =>
      JSON.parse(await readFile(new URL(`tasks/${name}.json`, ROOT), "utf8")) as {
        readonly document: { readonly model: object };
      };
    const withEnsemble = async (name: string): Promise<() => void> => {
      const json = await task(name);
      const model = { kind: "ensemble", members: 5, member: json.document.model };
      return () => assertRunnable(parseSpecification({ ...json, document: { ...json.document, model } }));
    };
    assert.doesNotThrow(await withEnsemble("digits"));
    throwsCode(await withEnsemble("digits-private"), "PRIVACY_PARAMETERS_INVALID");
  });
});
