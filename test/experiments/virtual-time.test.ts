/** Rounds of unequally fast clients over virtual time. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, describe, it } from "mocha";
import { runFederation } from "../../demo/federation.ts";
import { runInVirtualTime } from "../../experiments/buffers/virtual-time.ts";
import type {
  ClientPace,
  RoundRules,
  VirtualDependencies,
  VirtualRun,
} from "../../experiments/buffers/virtual-time.ts";
import { loadDataset } from "../../learning/dataset.ts";
import { partitionIid } from "../../learning/partition.ts";
import { createTrainer } from "../../learning/trainer.ts";
import { parseSpecification } from "../../task/create-task.ts";
import type { TaskSpecification } from "../../task/create-task.ts";
import { seededRandom } from "../support/random.ts";

const FAST: ClientPace = { trainingSeconds: 2, provingSeconds: 1 };
const SLOW: ClientPace = { trainingSeconds: 20, provingSeconds: 1 };
const RULES: RoundRules = { goal: 3, maxStaleness: 8, minSeparation: 1, minCollectSeconds: 0, committeeSeconds: 1 };
const BARRIER: RoundRules = { ...RULES, goal: 4, maxStaleness: 0 };

describe("rounds over virtual time", function () {
  this.timeout(20_000);
  let specification: TaskSpecification;
  let deps: Omit<VirtualDependencies, "random" | "isEnough">;
  before(async () => {
    const json: unknown = JSON.parse(await readFile(new URL("../../tasks/digits.json", import.meta.url), "utf8"));
    const { document, ...rest } = parseSpecification(json);
    const training = { ...document.training, localEpochs: 1 };
    specification = { ...rest, document: { ...document, training } };
    const { train, test } = await loadDataset("digits", document.preprocessing);
    deps = { trainer: await createTrainer(document.model), shards: partitionIid(train, 40, 7).slice(0, 4), test };
  });
  const run = (paces: readonly ClientPace[], rules: RoundRules, models: number): Promise<VirtualRun> =>
    runInVirtualTime(specification, paces, rules, {
      ...deps,
      random: seededRandom("virtual"),
      isEnough: ({ number }) => number === models,
    });

  it("are those of the task where all wait for all, one after the other as long as the slowest takes", async () => {
    const { models, dropped } = await run([FAST, FAST, FAST, SLOW], BARRIER, 3);
    const federation = { ...deps, random: seededRandom("virtual"), onRound: () => undefined };
    const expected = await runFederation(specification, 3, federation);
    assert.deepEqual(
      models.map(({ evaluation }) => evaluation),
      expected.map(({ evaluation }) => evaluation),
    );
    assert.deepEqual(
      models.map(({ seconds }) => seconds),
      [22, 44, 66],
    );
    assert.equal(dropped, 0);
  });

  it("do not wait for a slow client, whose update comes later and counts as stale", async () => {
    const { models, dropped } = await run([FAST, FAST, FAST, SLOW], RULES, 8);
    assert.deepEqual(
      models.map(({ seconds }) => seconds),
      [4, 8, 12, 16, 20, 24, 28, 32],
    );
    const stale = models.flatMap(({ number, staleness }) =>
      staleness.filter((age) => age > 0).map((age) => [number, age]),
    );
    assert.deepEqual(
      stale,
      [[6, 4]],
      "its training ends when four models were made since, and the fifth is on its way",
    );
    assert.ok(models.every(({ staleness }) => staleness.length >= RULES.goal));
    assert.equal(dropped, 0);
  });

  it("drop and count an update that came too late for maxStaleness", async () => {
    const { models, dropped } = await run([FAST, FAST, FAST, SLOW], { ...RULES, maxStaleness: 3 }, 8);
    assert.equal(Math.max(...models.flatMap(({ staleness }) => staleness)), 0);
    assert.equal(dropped, 1);
  });

  it("take a slow prover's updates in later rounds, however short they collect", async () => {
    const prover = { trainingSeconds: 2, provingSeconds: 6 };
    for (const minCollectSeconds of [0, 6.5]) {
      const { models, dropped } = await run([FAST, FAST, FAST, prover], { ...RULES, minCollectSeconds }, 24);
      const entered = models.filter(({ clients }) => clients.includes(3)).length;
      assert.ok(entered >= 8 && dropped === 0, `${entered} of 24 where they collect ${minCollectSeconds} s`);
    }
  });

  it("take a client again only after minSeparation rounds", async () => {
    const { models } = await run([FAST, FAST, FAST, FAST], { ...RULES, goal: 2, minSeparation: 2 }, 6);
    assert.deepEqual(
      models.map(({ staleness }) => staleness.length),
      [2, 2, 2, 2, 2, 2],
    );
  });
});
