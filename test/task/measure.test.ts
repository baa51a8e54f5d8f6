import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { createTrainer } from "../../learning/trainer.ts";
import { figuresIn, metricsSchema, metricsText } from "../../task/checkpoint.ts";
import type { Metrics } from "../../task/checkpoint.ts";
import { openMeasure } from "../../task/measure.ts";
import { rows, u } from "../support/found.ts";
import { temporaryFolder } from "../support/tables.ts";
import type { Folder } from "../support/tables.ts";

describe("what an aggregator measures of a model", () => {
  let folder: Folder;
  before(async () => (folder = await temporaryFolder()));
  after(() => folder.remove());

  const measured = async (model: { readonly inputShape: readonly number[] }, options: string): Promise<Metrics> => {
    const path = await folder.file("table.csv", `x,y\n${rows(100, (i) => `${u(i)},${i % 10 === 0 ? 1 : 0}`)}\n`);
    const { parameterCount } = await createTrainer(model);
    const weights = new Float32Array(parameterCount);
    return (await openMeasure(`${path}?label=y${options}`, { model }))(weights);
  };

  it("has its baselines beside it, and recall by class", async () => {
    const metrics = await measured({ kind: "mlp", inputShape: [1], hidden: [], classCount: 2 } as never, "");
    assert.deepEqual(metrics, {
      accuracy: 0.9,
      loss: Math.log(2),
      samples: 20,
      majority: 0.9,
      balancedAccuracy: 0.5,
      recall: [1, 0],
    });
    assert.equal(metricsText(metrics), "accuracy 90.0 % (majority class 90.0 %, balanced 50.0 %), loss 0.693");
    assert.equal("recall" in figuresIn(metrics), false);
  });

  it("has the error of always answering the mean beside it where numbers are predicted", async () => {
    const model = { kind: "mlp", inputShape: [1], hidden: [], head: { kind: "regression" } };
    const metrics = await measured(model, "&target=number");
    assert.ok("baselineError" in metrics && metrics.baselineError! > 0);
    assert.match(metricsText(metrics), /^root mean squared error .* \(always the mean /);
  });

  it("is written in the bytes that whoever reads it from a proposal writes", async () => {
    for (const metrics of [
      await measured({ kind: "mlp", inputShape: [1], hidden: [], classCount: 2 } as never, ""),
      await measured({ kind: "mlp", inputShape: [1], hidden: [], classCount: 101 } as never, "&classes=101"),
      await measured(
        { kind: "mlp", inputShape: [1], hidden: [], head: { kind: "regression" } } as never,
        "&target=number",
      ),
    ]) {
      const sent = JSON.stringify(metrics);
      assert.equal(JSON.stringify(metricsSchema.parse(JSON.parse(sent))), sent);
    }
  });
});
