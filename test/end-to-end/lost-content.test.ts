import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "mocha";
import type { FinalisedRecord } from "../../chain/task-chain.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { modelDigest } from "../../protocol/model.ts";
import { loadModelState } from "../../task/checkpoint.ts";
import { openMeasure } from "../../task/measure.ts";
import { weightsOf } from "../../task/model-vector.ts";
import { startHarness } from "../support/round-harness.ts";
import type { RoundHarness } from "../support/round-harness.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** An aggregator that has no test data, and says so of as many examples as the digits have. */
const FALSE_CLAIM = { accuracy: 0.999, loss: 0.001, samples: 360 };

interface Ending {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Verdict {
  readonly ok: boolean;
  readonly lastRound: number;
  readonly metrics: readonly { readonly round: string; readonly claimed?: unknown; readonly recomputed?: unknown }[];
  readonly findings: readonly {
    readonly check: string;
    readonly ok: boolean;
    readonly code?: string;
    readonly detail: string;
  }[];
}

describe("rounds of which content is lost", function () {
  this.timeout(240_000);
  let harness: RoundHarness;
  let rounds: readonly FinalisedRecord[];
  before(async () => {
    let claim: typeof FALSE_CLAIM | null = FALSE_CLAIM;
    const evaluate = async (): Promise<typeof claim> => claim;
    harness = await startHarness({ clients: 3, learning: "scripted", evaluate });
    const first = (await harness.playRound()).records.finalised!;
    claim = null;
    rounds = [first, (await harness.playRound()).records.finalised!];
  });
  after(() => harness?.close());

  /** Runs `fl`, as whoever has nothing yet and knows the aggregator. */
  const fl = (command: string, state: string, ...options: readonly string[]): Promise<Ending> =>
    new Promise((resolve) => {
      const { contract, chain, aggregator, directory } = harness;
      const where = ["--contract", contract, "--rpc", chain.rpc, "--confirmations", "0", "--peer", aggregator.url];
      const report = command === "pull" ? "--report" : "--format";
      const args = ["bin/fl.mjs", command, ...where, "--state", join(directory, state), report, "json", ...options];
      execFile(process.execPath, args, { cwd: ROOT, timeout: 90_000 }, (error, stdout, stderr) =>
        resolve({ status: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
      );
    });
  const dataOf = <T>({ stdout }: Ending): T => (JSON.parse(stdout) as { data: T }).data;
  /** Takes it from every store that there is. */
  const lose = async (...cids: readonly string[]): Promise<void> => {
    for (const { node } of [harness.aggregator, ...harness.members, ...harness.clients]) await node.store.remove(cids);
    for (const { node } of [harness.aggregator, ...harness.members])
      for (const cid of cids) assert.equal(await node.store.has(cid), false);
  };

  it("have claims that the auditor shows as such, and finds false on the data that they are of", async () => {
    const asked = await fl("verify", "claims");
    assert.equal(asked.status, 0, asked.stderr);
    assert.deepEqual(dataOf<Verdict>(asked).metrics, [
      { round: "1", claimed: FALSE_CLAIM },
      { round: "2", claimed: null },
    ]);
    const measured = await fl("verify", "claims", "--data", "digits");
    assert.equal(measured.status, 1);
    const { metrics, findings, ok } = dataOf<Verdict>(measured);
    assert.equal(ok, false);
    const reds = findings.filter((finding) => !finding.ok);
    assert.deepEqual(
      reds.map(({ check, code }) => [check, code]),
      [["metrics", "METRICS_MISMATCH"]],
    );
    assert.match(reds[0]!.detail, /recomputed on 360 examples; accuracy 99\.9 %.* claimed by the aggregator/);
    const { task } = harness;
    const measure = await openMeasure("digits", task.document);
    const { modelCid, modelDigest: digest } = rounds[0]!.result;
    const expected = await measure(weightsOf(task.document, await loadModelState(task, modelCid, digest)));
    assert.deepEqual([metrics[0]!.claimed, metrics[0]!.recomputed], [FALSE_CLAIM, expected]);
    assert.deepEqual([metrics[1]!.claimed, typeof metrics[1]!.recomputed], [null, "object"]);
    const others = await fl("verify", "claims", "--data", "digits?testSamples=100");
    assert.equal(others.status, 0, "what is claimed of other data cannot be compared");
  });

  it("are shown by fl status with what is claimed, round by round", async () => {
    const { metrics } = dataOf<Verdict>(await fl("status", "status"));
    assert.deepEqual(metrics, [{ round: "1", claimed: FALSE_CLAIM }]);
  });

  it("have a history: each model, the one that it was made from, by whom, and what is claimed of it", async () => {
    const asked = await fl("history", "history");
    assert.equal(asked.status, 0, asked.stderr);
    const { models } = dataOf<{ readonly models: readonly Readonly<Record<string, unknown>>[] }>(asked);
    const cids = [harness.task.parameters.genesisCid, ...rounds.map(({ result }) => result.modelCid)].map(
      cidFromDigest,
    );
    assert.deepEqual(
      models.map(({ round, model, parent, clients, claimed }) => [round, model, parent, clients, claimed]),
      [
        ["0", cids[0], null, 0, null],
        ["1", cids[1], cids[0], 3, FALSE_CLAIM],
        ["2", cids[2], cids[1], 3, null],
      ],
    );
  });

  it("have a model that is measured by its round, and pulled for others' programs", async () => {
    const measured = await fl("evaluate", "measured", "--round", "1", "--data", "digits");
    assert.equal(measured.status, 0, measured.stderr);
    const { checkpoint, evaluation, claimed } = dataOf<Readonly<Record<string, unknown>>>(measured);
    const { modelCid, modelDigest: digest } = rounds[0]!.result;
    assert.deepEqual([checkpoint, claimed], [cidFromDigest(modelCid), FALSE_CLAIM]);
    const { task } = harness;
    const measure = await openMeasure("digits", task.document);
    const expected = await measure(weightsOf(task.document, await loadModelState(task, modelCid, digest)));
    const { accuracy, loss } = evaluation as { readonly accuracy: number; readonly loss: number };
    assert.ok("accuracy" in expected);
    assert.deepEqual([accuracy, loss, 360], [expected.accuracy, expected.loss, expected.samples]);
    const out = join(harness.directory, "for-others");
    for (const [format, round, files] of [
      ["onnx", "1", ["model.onnx"]],
      ["tfjs", "2", ["model.json", "weights.bin"]],
      ["safetensors", "0", ["model.safetensors"]],
    ] as const) {
      const pulled = await fl("pull", "pulled", "--out", out, "--round", round, "--format", format);
      assert.equal(pulled.status, 0, pulled.stderr);
      const data = dataOf<Readonly<Record<string, unknown>>>(pulled);
      assert.deepEqual([data["round"], data["files"]], [round, files]);
      for (const name of files) assert.ok((await readFile(join(out, name))).length > 0);
    }
    const none = await fl("pull", "pulled", "--out", out, "--round", "7");
    assert.match(none.stderr, /USAGE.*round 7 has made no model/);
  });

  it("are verified and pulled all the same while the releases are there: aggregates and checkpoints are rebuilt", async () => {
    await lose(...rounds.flatMap(({ result }) => [cidFromDigest(result.aggregateCid), cidFromDigest(result.modelCid)]));
    const verified = await fl("verify", "after");
    assert.equal(verified.status, 0, verified.stderr + verified.stdout);
    const { ok, lastRound, metrics, findings } = dataOf<Verdict>(verified);
    // Of the first round the claim is lost with its checkpoint; the second one claimed nothing, and is whole.
    assert.deepEqual([ok, lastRound, metrics], [true, 2, [{ round: "1" }, { round: "2", claimed: null }]]);
    const details = findings.map(({ detail }) => detail);
    assert.equal(details.filter((detail) => /rebuilt from releases/.test(detail)).length, 2);
    assert.equal(
      details.filter((detail) => /nobody has their checkpoint, nor what was claimed in it/.test(detail)).length,
      1,
    );

    const out = join(harness.directory, "pulled");
    const pulled = await fl("pull", "after-pull", "--out", out);
    assert.equal(pulled.status, 0, pulled.stderr);
    const model = cidFromDigest(rounds[1]!.result.modelCid);
    assert.deepEqual(dataOf(pulled), {
      round: "2",
      model,
      out,
      files: ["config.json", "model.safetensors", "state.bin", "topology.json"],
      source: "rebuilt",
      isWhole: true,
      metrics: { claimed: null },
    });
    const { task } = harness;
    const store = { getFile: async (_cid: string, name: string) => readFile(join(out, name)) };
    const { modelCid, modelDigest: digest } = rounds[1]!.result;
    assert.equal(modelDigest(await loadModelState({ ...task, store }, modelCid, digest)), digest);
    assert.equal(await task.store.putDirectory(Object.fromEntries(await filesIn(out))), model);
  });

  it("are not verified once the releases are gone as well, which is said by name", async () => {
    const { records } = { records: await harness.task.chain.records(1n) };
    await lose(...records.released.map(({ releaseCid }) => cidFromDigest(releaseCid)));
    const { status, stdout } = await fl("verify", "nothing");
    assert.equal(status, 2);
    const red = (JSON.parse(stdout) as { data: Verdict }).data.findings.find(({ ok }) => !ok)!;
    assert.equal(red.code, "IPFS_UNAVAILABLE");
    const cid = cidFromDigest(rounds[0]!.result.aggregateCid);
    assert.ok(
      red.detail.includes(`aggregate.bin of ${cid}, which the aggregator and the members that signed`),
      red.detail,
    );
  });
});

async function filesIn(folder: string): Promise<(readonly [string, Uint8Array])[]> {
  const names = ["config.json", "model.safetensors", "state.bin", "topology.json"];
  return Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const));
}
