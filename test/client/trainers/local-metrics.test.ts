import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { RoundEvaluator, TrainingRound } from "../../../client/round-trainer.ts";
import { metricsBy } from "../../../client/trainers/local-metrics.ts";
import { modelDigest } from "../../../protocol/model.ts";
import { parseSpecification } from "../../../task/create-task.ts";
import { EXTERNAL_TASK, FIRST_TENSORS } from "../../support/external-trainer.ts";
import { createRecorder } from "../../support/round-recorder.ts";

const { document } = parseSpecification(EXTERNAL_TASK);
const tensors = FIRST_TENSORS.map(({ name, shape }) => ({ name, shape }));
const MODEL = { weights: new Int32Array(24).fill(1 << 19), kept: [] };

describe("an evaluator of somebody else", () => {
  const measured = async (evaluate: RoundEvaluator["evaluate"], signal = new AbortController().signal) => {
    const reporter = createRecorder();
    await metricsBy({ evaluate }, { task: { document, tensors }, reporter, signal } as never)(3n, MODEL);
    return reporter.events;
  };

  it("gets the model with all that a trainer is told, and its numbers are said as local", async () => {
    let given: TrainingRound | undefined;
    const events = await measured((round) => {
      given = round;
      return Promise.resolve({ auc: 0.75, note: NaN });
    });
    assert.equal(given?.baseDigest, modelDigest(MODEL));
    assert.deepEqual(
      given.tensors.map(({ name, data }) => [name, data.length, data[0]]),
      [
        ["adapter.a", 20, 0.5],
        ["adapter.b", 4, 0.5],
      ],
    );
    assert.deepEqual(
      given.parameters.map(({ trained }) => trained),
      [false, true, true],
    );
    assert.equal(given.options.step, EXTERNAL_TASK.document.model.options.step);
    const [{ event, text, facts }] = events as [(typeof events)[number]];
    assert.deepEqual([event, text], ["evaluated", "model of round 3, local: auc 0.75"]);
    assert.equal(facts.local, '{"auc":0.75}');
  });

  it("costs only its numbers when it fails, and is not heard when the client is told to stop", async () => {
    const fails = (): Promise<never> => Promise.reject(new Error("no data"));
    const [said] = await measured(fails);
    assert.equal(said?.event, "evaluator-failed");
    assert.match(said.text, /no data/);
    assert.deepEqual(await measured(fails, AbortSignal.abort()), []);
  });
});
