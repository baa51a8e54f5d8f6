import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createTrainer } from "../../learning/trainer.ts";
import type { Dataset } from "../../learning/examples.ts";
import { candidatesOf, chosen, foldsOf, joined } from "../../experiments/gap/choice.ts";
import { compare } from "../../experiments/gap/compare.ts";
import { parseSpecification } from "../../task/create-task.ts";
import { rejectsCode, throwsCode } from "../support/errors.ts";
import { csprng } from "../support/round-harness.ts";
import { temporaryFolder } from "../support/tables.ts";
import { TINY_SPECIFICATION } from "../support/tiny-specification.ts";

/** Ten examples whose only value is the shard's number. */
const shard = (number: number): Dataset => ({
  features: new Float32Array(10).fill(number),
  labels: Int32Array.from({ length: 10 }, (_, i) => i % 2),
  exampleCount: 10,
  featureShape: [1],
  classCount: 2,
});
const shardsIn = ({ features }: Dataset): number[] => [...new Set(features)];

describe("the choice of training for the federated gap", () => {
  it("validates on each client once, and never on one that trained", () => {
    for (const count of [2, 3, 4, 7, 8]) {
      const folds = foldsOf(Array.from({ length: count }, (_, i) => shard(i)));
      assert.equal(folds.length, Math.min(4, count));
      const validated = folds.flatMap(({ validation }) => shardsIn(validation));
      assert.deepEqual(validated.sort(), Array.from({ length: count }, (_, i) => i).sort());
      for (const { training, validation } of folds) {
        const trained = shardsIn(joined(training));
        assert.equal(trained.length + shardsIn(validation).length, count);
        assert.ok(shardsIn(validation).every((number) => !trained.includes(number)));
      }
    }
    throwsCode(() => foldsOf([shard(1)]), "USAGE");
  });

  it("joins windows that share their values as they are, one set after the other", () => {
    const windows = (values: readonly number[], starts: readonly number[]): Dataset => ({
      ...shard(0),
      ...{ features: Float32Array.from(values), starts: Uint32Array.from(starts), featureShape: [2] },
      ...{ labels: new Int32Array(starts.length), exampleCount: starts.length },
    });
    const { features, starts } = joined([windows([1, 2, 3, 4], [0, 1, 2]), windows([5, 6, 7], [1, 0])]);
    assert.deepEqual([[...features], starts], [[1, 2, 2, 3, 3, 4, 6, 7, 5, 6], undefined]);
  });

  it("takes the least mean loss, the smaller step of equal ones, and none that diverged", async () => {
    const candidates = candidatesOf([0.1, 0.01], [5, 1]);
    assert.deepEqual(candidates[0], { learningRate: 0.01, localEpochs: 1 });
    const folds = foldsOf([shard(0), shard(1)]);
    const losses = new Map([
      [candidates[0], [1, 3]],
      [candidates[1], [NaN, 0]],
      [candidates[2], [2.5, 1]],
      [candidates[3], [1, 2.5]],
    ]);
    const found = await chosen(
      candidates,
      folds,
      async (candidate, fold) => losses.get(candidate)![folds.indexOf(fold)]!,
    );
    assert.equal(found, candidates[2]);
    await rejectsCode(
      chosen(candidates, folds, async () => NaN),
      "TRAINING_DIVERGED",
    );
  });

  it("never looks at the test data", async () => {
    const folder = await temporaryFolder();
    try {
      const rows = Array.from({ length: 60 }, (_, i) => `${(i % 2) + 0.3 * Math.sin(i)},${Math.cos(i)},${i % 2}`);
      const train = await folder.file("set/train.csv", `a,b,label\n${rows.join("\n")}\n`);
      const task = parseSpecification({
        ...TINY_SPECIFICATION,
        document: {
          ...TINY_SPECIFICATION.document,
          model: { kind: "mlp", inputShape: [2], hidden: [], classCount: 2 },
        },
        maxRounds: 2,
      });
      const trainer = await createTrainer(task.document.model);
      const dealing = { clients: 3, seed: 1, alpha: undefined, samples: undefined, testSamples: undefined };
      const setting = { trainer, data: train.slice(0, -"/train.csv".length), dealing, random: csprng };
      const candidates = candidatesOf([0.01, 0.1], [1, 5]);
      const test = async (lines: readonly string[]): Promise<Awaited<ReturnType<typeof compare>>> => {
        await folder.file("set/test.csv", `a,b,label\n${lines.join("\n")}\n`);
        return compare(task, candidates, setting);
      };
      const found = await test(rows.slice(0, 20));
      const other = await test(rows.slice(0, 20).map((row) => row.slice(0, -1) + (row.endsWith("1") ? "0" : "1")));
      for (const side of ["federated", "central"] as const) {
        assert.deepEqual(found[side].candidate, other[side].candidate);
        assert.ok(Math.abs(found[side].test.accuracy + other[side].test.accuracy - 1) < 1e-9);
      }
      assert.deepEqual([found.trainingExamples, found.testExamples], [[20, 20, 20], 20]);
    } finally {
      await folder.remove();
    }
  });
});
