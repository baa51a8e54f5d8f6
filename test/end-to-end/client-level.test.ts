/**
 * A task whose clients are protected as a whole: noise of every client, real proofs, the contract's ledger, the
 * auditor.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import type { Dataset } from "../../learning/examples.ts";
import { seededStream } from "../../learning/seeded-stream.ts";
import { createTrainer } from "../../learning/trainer.ts";
import { loadCheckpointConfig, loadModelState } from "../../task/checkpoint.ts";
import { normBoundOf } from "../../task/encoding.ts";
import { clientLevel } from "../../task/mechanisms/client-level.ts";
import { settingsOf } from "../../task/mechanisms/mechanism.ts";
import { clipNormOf } from "../../task/model-vector.ts";
import { AGGREGATE_FILE, fetchElements } from "../../task/outcome.ts";
import { createLearner } from "../../client/learner.ts";
import { engineTrainer } from "../../client/trainers/engine.ts";
import { nextLevel } from "../../protocol/clip-level.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { unpackSum } from "../../protocol/packing.ts";
import { normBoundSquared } from "../../protocol/quantise.ts";
import { commandOf, TRAINER, trainWith } from "../support/external-trainer.ts";
import { csprng, startHarness } from "../support/round-harness.ts";
import { TINY_SPECIFICATION } from "../support/tiny-specification.ts";
import type { RoundHarness } from "../support/round-harness.ts";

const ROUNDS = 2;
const DELTA = 1e-5;
/** Four clients hide ten weights at best. */
const EPSILON = 15;
const FEATURES = 4;
const SAMPLES = 12;

const COHORT_TASK = {
  ...TINY_SPECIFICATION,
  document: {
    ...TINY_SPECIFICATION.document,
    model: { kind: "mlp", inputShape: [FEATURES], hidden: [], classCount: 2 },
    training: {
      learningRate: 1,
      momentum: 0,
      batchSize: 512,
      localEpochs: 2,
      privacy: { unit: "client", delta: DELTA },
    },
    quantisation: {
      stepBits: 4,
      clipSteps: 16,
      adaptive: {
        quantile: { numerator: 1, denominatorBits: 1 },
        octavesPerRound: { numerator: 1, denominatorBits: 0 },
        maxOctaves: 4,
        voteSteps: 8,
      },
    },
  },
  privacyTarget: { epsilon: EPSILON },
  maxRounds: ROUNDS,
};

describe("rounds that protect every client as a whole", function () {
  this.timeout(180_000);
  let harness: RoundHarness;
  let folder: string;
  before(async () => {
    harness = await startHarness({ clients: 4, specification: COHORT_TASK, learning: "scripted" });
    const trainer = await createTrainer(COHORT_TASK.document.model);
    const [failing, ...well] = harness.clients;
    folder = await mkdtemp(join(tmpdir(), "verisum-client-level-"));
    trainWith(failing!, commandOf(failing!, [process.execPath, TRAINER, "fails"], folder));
    well.forEach((client, i) =>
      client.restart((deps) => ({
        ...deps,
        learner: createLearner({
          trainer: engineTrainer({
            engine: trainer,
            data: twoClasses(i),
            document: deps.task.document,
            tensors: deps.task.tensors,
            random: csprng,
          }),
          document: deps.task.document,
          tensors: deps.task.tensors,
          random: csprng,
          reporter: client.reporter,
        }),
      })),
    );
  });
  after(async () => {
    await harness.close();
    await rm(folder, { recursive: true });
  });

  it("prove noisy updates within the bound of the contract, and state in the checkpoint what was spent", async () => {
    const { document, parameters } = harness.task;
    assert.ok(settingsOf(clientLevel, document.training.privacy)!.noiseVariance > 1);
    assert.equal(parameters.normBoundSquared, normBoundOf(document, parameters.dimension));
    assert.ok(
      parameters.normBoundSquared > normBoundSquared(document.quantisation, parameters.dimension),
      "noise has room in the bound",
    );
    assert.equal(parameters.uniformWeights, true);

    // A round that never settles reveals nothing, and does not count.
    await harness.play(["Collecting"]);
    for (const member of harness.members) member.running = false;
    assert.equal((await harness.play(["Aborted"], 1n)).phase, "Aborted");
    for (const member of harness.members) member.running = true;

    const { state, records } = await harness.playRound();
    assert.equal(state.phase, "Finalised");
    assert.equal(records.submitted.length, 4);
    // Staying away would tell of its data: the one whose trainer failed took part with zero and its noise, which was
    // drawn for the aborted round and is shared again.
    const [failed] = harness.clients[0]!.reporter.facts("diverged", state.number - 1n);
    assert.equal(failed?.code, "TRAINER_FAILED");
    const { cid } = await harness.operator.latestModel();
    const { privacy } = await loadCheckpointConfig(harness.aggregator.node.store, cid);
    assert.equal(privacy?.unit, "client");
    assert.equal(privacy.delta, DELTA);
    assert.ok(privacy.epsilon > 0 && privacy.epsilon < privacy.budget.epsilon && privacy.budget.epsilon <= EPSILON);
    assert.deepEqual([privacy.budget.rounds, privacy.budget.remainingRounds], [ROUNDS, ROUNDS - 1]);
  });

  it("move the clip norm by their noisy votes, which the model's last weight keeps", async () => {
    const { document, parameters } = harness.task;
    const { store } = harness.aggregator.node;
    const { cid, digest } = await harness.operator.latestModel();
    const state = await loadModelState({ store, document, parameters }, cid, digest);
    const config = await loadCheckpointConfig(store, cid);
    const aggregate = await fetchElements(
      harness.task,
      (await harness.operator.records(2n)).finalised!.result.aggregateCid,
      AGGREGATE_FILE,
    );
    const votes = unpackSum(harness.task.layout, aggregate).at(-1)!;
    assert.equal(state.weights.length, config.weights.count + 1);
    assert.equal(state.weights.at(-1), nextLevel(0, votes, 4, document.quantisation.adaptive!));
    assert.equal(config.clipNorm, clipNormOf(document, state));
  });

  it("end with the budget: a settled round counts even if nobody releases it, and no other opens", async () => {
    const settled = await harness.play(["Aggregating"], 3n);
    for (const member of harness.members) member.running = false;
    assert.equal((await harness.play(["Aborted"], settled.number)).phase, "Aborted");
    await assert.rejects(
      harness.operator.openRound(),
      (error) =>
        error instanceof VerisumError &&
        error.code === "CHAIN_REVERTED" &&
        error.details["error"] === "VerisumBudgetExhausted",
    );
  });

  it("leave nothing for an auditor to find", async () => {
    const audit = await harness.audit();
    assert.deepEqual(
      audit.findings.filter(({ ok }) => !ok),
      [],
    );
    assert.equal(audit.ok, true);
  });
});

/** Rows whose first feature tells the class. */
function twoClasses(seed: number): Dataset {
  const stream = seededStream("two classes", seed);
  const features = Float32Array.from({ length: SAMPLES * FEATURES }, () => stream.normal());
  const labels = Int32Array.from({ length: SAMPLES }, (_, row) => (features[row * FEATURES]! > 0 ? 1 : 0));
  return { features, labels, exampleCount: SAMPLES, featureShape: [FEATURES], classCount: 2 };
}
