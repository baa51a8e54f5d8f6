/**
 * Statistics of three clients' tables over a chain, with real proofs, by the commands: what `fl statistics` writes of
 * an audited round, and what the next task makes of it.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, it } from "mocha";
import { createLearner } from "../../client/learner.ts";
import { statisticsTrainer } from "../../client/statistics-trainer.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { createContentStore } from "../../content/store.ts";
import { loadDataset } from "../../learning/dataset.ts";
import { countData } from "../../learning/statistics/count-data.ts";
import { layoutOf, parseStatistics } from "../../learning/statistics/statistics-model.ts";
import { summaryOf } from "../../learning/statistics/summary.ts";
import type { StatisticsSummary } from "../../learning/statistics/summary.ts";
import { tableSchema } from "../../learning/tables/schema.ts";
import { seededStream } from "../../learning/seeded-stream.ts";
import { readPreparedTask } from "../../operator/prepare-task.ts";
import { ROOT } from "../../scripts/testing/plan.ts";
import { MAX_DOCUMENT_BYTES, parseTaskDocument, TASK_FILE } from "../../task/document.ts";
import type { TaskDocument } from "../../task/document.ts";
import { startHarness } from "../support/round-harness.ts";
import type { RoundHarness } from "../support/round-harness.ts";
import { createRecorder } from "../support/round-recorder.ts";
import { seededRandom } from "../support/random.ts";
import { POOLED_WARDS, STATISTICS_MODEL, STATISTICS_TASK, WARDS } from "../support/statistics-task.ts";

const MISSING = "?na=-999";
/** Rows that a private client has, so that few of them cannot tell much of one. */
const PRIVATE_ROWS = 200;
const PRIVATE_MODEL = {
  ...STATISTICS_MODEL,
  columns: [{ name: "age", type: "number", from: 0, to: 120 }, STATISTICS_MODEL.columns[1]!],
  maxRows: PRIVATE_ROWS,
  digitBits: 3,
  digits: "one",
};
const PRIVATE_TASK = {
  ...STATISTICS_TASK,
  document: {
    ...STATISTICS_TASK.document,
    model: PRIVATE_MODEL,
    training: { ...STATISTICS_TASK.document.training, privacy: { unit: "client", delta: 1e-5 } },
    quantisation: { stepBits: 0, clipSteps: layoutOf(parseStatistics(PRIVATE_MODEL)).largestNorm },
  },
  privacyTarget: { epsilon: 20 },
};
/** A normal number is beyond this many standard deviations once in five hundred million. */
const BEYOND = 6;

/** The next task: two inputs more for each sex, ages and days by what the round found. */
const NEXT_TASK = {
  ...STATISTICS_TASK,
  document: {
    ...STATISTICS_TASK.document,
    model: { kind: "mlp", inputShape: [4], hidden: [], classCount: 2 },
    quantisation: { stepBits: 6, clipSteps: 150 },
    data: {
      label: "outcome",
      classes: ["no", "yes"],
      columns: [
        { name: "age", type: "number" },
        { name: "sex", type: "category", values: ["F", "M"] },
        { name: "admitted", type: "date" },
      ],
    },
  },
};

describe("statistics of three clients on a chain", function () {
  this.timeout(240_000);

  it("are the pooled table's to the digit, audited, and scale the next task's tables", () =>
    inRound(STATISTICS_TASK, WARDS, async ({ summary, folder }) => {
      const pooled = join(folder, "pooled.csv");
      await writeFile(pooled, POOLED_WARDS);
      const sums = await countData(pooled + MISSING, parseStatistics(STATISTICS_MODEL));
      const ofPooled = summaryOf(parseStatistics(STATISTICS_MODEL), Int32Array.from(sums), { clients: 1 });
      assert.deepEqual(summary, { ...ofPooled, clients: 3 });
      // Of the rows themselves, without the program's own counting: 130 is cut to the stated end of the range.
      const ages = [40, 50, 61.5, 120, 20, 33.25];
      const mean = ages.reduce((sum, age) => sum + age, 0) / ages.length;
      const stdDev = Math.sqrt(ages.reduce((sum, age) => sum + (age - mean) ** 2, 0) / ages.length);
      const [age] = summary.columns;
      assert.deepEqual([summary.rows, age!.present, age!.outside], [7, 6, 1]);
      within(age!.mean!, mean, age!.meanError!.rounding);
      within(age!.stdDev!, stdDev, age!.stdDevError!.rounding);
      assert.ok(age!.meanError!.rounding <= 120 * 2 ** -17 + 1e-12 && age!.meanError!.noiseStdDev === 0);

      const next = join(folder, "next.json");
      await writeFile(next, JSON.stringify(NEXT_TASK));
      const store = join(folder, "next-store");
      await run("operator/cli.ts", [
        ...["create-task", "--task", next, "--statistics", join(folder, "statistics.json"), "--store", store],
        ...["--out", join(folder, "deployment.json"), "--ignition", join(folder, "ignition.json")],
      ]);
      const schema = tableSchema.parse((await publishedDocument(folder)).data);
      const digits = (value: number): number => Number(value.toPrecision(3));
      assert.deepEqual(schema.scaling["age"], { mean: digits(mean), stdDev: digits(stdDev) });
      const labelled = join(folder, "labelled.csv");
      await writeFile(
        labelled,
        `age,sex,admitted,outcome\n${`${mean},F,2024-02-01,no\n`.repeat(5)}${`${mean + stdDev},M,2024-02-01,yes\n`.repeat(5)}`,
      );
      const { train } = await loadDataset(labelled, schema);
      const inputs = new Set(Array.from({ length: train.exampleCount }, (_, i) => Math.round(train.features[4 * i]!)));
      assert.deepEqual([...inputs].sort(), [0, 1]);
    }));

  it("with noise of every client are within the stated error, and say how large that is", () => {
    const stream = seededStream("private wards", 1);
    const rows = WARDS.map((_, ward) =>
      Array.from({ length: PRIVATE_ROWS }, () => ({
        age: Math.round(Math.min(110, Math.max(0, 45 + 10 * ward + 15 * stream.normal()))),
        sex: stream.normal() > 0.5 ? "M" : "F",
      })),
    );
    const tables = rows.map((ward) => `age,sex\n${ward.map(({ age, sex }) => `${age},${sex}\n`).join("")}`);
    return inRound(PRIVATE_TASK, tables, ({ summary, harness }) => {
      const all = rows.flat();
      const { rounding, noiseStdDev } = summary.countError;
      const variance = (harness.task.document.training.privacy as { noiseVariance: number }).noiseVariance;
      assert.ok(variance >= 1);
      assert.ok(Math.abs(noiseStdDev - (Math.sqrt(3 * variance) * PRIVATE_ROWS) / 7) < 1e-9);
      const [age, sex] = summary.columns;
      const count = (value: number, truth: number): number => {
        within(value, truth, rounding + BEYOND * noiseStdDev);
        return ((value - truth) / noiseStdDev) ** 2;
      };
      const squares = [
        count(summary.rows, all.length),
        count(age!.present, all.length),
        count(age!.outside!, 0),
        count(age!.counts[0]!.count, all.length),
        count(sex!.present, all.length),
        ...sex!.counts.map(({ name, count: found }) => count(found, all.filter((row) => row.sex === name).length)),
      ];
      // It is noise of the stated size, and not none.
      const mean = squares.reduce((sum, square) => sum + square, 0) / squares.length;
      assert.ok(mean > 0.1 && mean < 4, `${mean}`);
      const trueMean = all.reduce((sum, row) => sum + row.age, 0) / all.length;
      within(age!.mean!, trueMean, age!.meanError!.rounding + BEYOND * age!.meanError!.noiseStdDev);
      return Promise.resolve();
    });
  });
});

function within(found: number, truth: number, error: number): void {
  assert.ok(Math.abs(found - truth) <= error + 1e-9, `${found} is more than ${error} from ${truth}`);
}

interface Played {
  readonly summary: StatisticsSummary;
  readonly harness: RoundHarness;
  /** With `statistics.json`. */
  readonly folder: string;
}

/** One round of the tables' clients, and what `fl statistics` writes of it in a process of its own. */
async function inRound(
  specification: unknown,
  tables: readonly string[],
  look: (played: Played) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "verisum-statistics-"));
  const harness = await startHarness({ specification, clients: tables.length, learning: "scripted" });
  try {
    for (const [i, client] of harness.clients.entries()) {
      const path = join(folder, `ward-${i + 1}.csv`);
      await writeFile(path, tables[i]!);
      const { document, tensors } = client.deps.task;
      const trainer = await statisticsTrainer(path + MISSING, document.model);
      // Its noise is the same in each run of the test; masks and shares are not.
      const random = seededRandom(`statistics ${i}`);
      const learner = createLearner({ trainer, document, tensors, random, reporter: client.reporter });
      client.restart((deps) => ({ ...deps, learner }));
    }
    const { state, records } = await harness.playRound();
    assert.equal(state.phase, "Finalised");
    assert.equal(records.submitted.length, tables.length);
    const out = join(folder, "statistics.json");
    await run("auditor/cli.ts", [
      ...["statistics", "--contract", harness.contract, "--rpc", harness.chain.rpc, "--confirmations", "0"],
      ...["--peer", harness.aggregator.url, "--state", join(folder, "auditor"), "--out", out],
    ]);
    const summary = JSON.parse(await readFile(out, "utf8")) as StatisticsSummary;
    await look({ summary, harness, folder });
  } finally {
    await harness.close();
    await rm(folder, { recursive: true });
  }
}

/** The chain that is asked answers in this process: nobody may wait for another one synchronously. */
async function run(script: string, args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", script, ...args], { cwd: ROOT });
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  assert.equal(child.exitCode, 0, `${script} ${args.join(" ")}\n${out}\n${errors}`);
  return out;
}

/** The document that create-task published, as a client would fetch it. */
async function publishedDocument(folder: string): Promise<TaskDocument> {
  const { parameters } = await readPreparedTask(join(folder, "deployment.json"));
  const store = await createContentStore({
    directory: join(folder, "next-store"),
    peers: () => [],
    reporter: createRecorder(),
  });
  const bytes = await store.getFile(cidFromDigest(parameters.taskCid), TASK_FILE, { maxBytes: MAX_DOCUMENT_BYTES });
  await store.close();
  return parseTaskDocument(bytes);
}
