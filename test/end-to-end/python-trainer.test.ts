/** Clients that train in Python, one in each way that the package has, in rounds with real processes and proofs. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "mocha";
import { trainerUrl } from "../../client/trainers/address.ts";
import { httpTrainer } from "../../client/trainers/http.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { encodeSafetensors } from "../../learning/safetensors.ts";
import { loadModelState } from "../../task/checkpoint.ts";
import { weightsOf } from "../../task/model-vector.ts";
import { commandOf, EXTERNAL_TASK, FIRST_TENSORS, trainWith } from "../support/external-trainer.ts";
import { PYTHON, PYTHON_ENVIRONMENT, python } from "../support/python.ts";
import { reservePort, startHarness } from "../support/round-harness.ts";
import type { RoundHarness } from "../support/round-harness.ts";

const PROGRAMS = fileURLToPath(new URL("../support/python/", import.meta.url));
const TOKEN = "0123456789abcdef";
const ROUNDS = 2;
const { step } = EXTERNAL_TASK.document.model.options;

describe("clients that train in Python", function () {
  this.timeout(180_000);
  let harness: RoundHarness | undefined;
  let server: ChildProcess | undefined;
  let folder: string | undefined;
  before(async function () {
    if (PYTHON === undefined) return this.skip();
    folder = await mkdtemp(join(tmpdir(), "verisum-python-"));
    const initial = join(folder, "first.safetensors");
    await writeFile(initial, encodeSafetensors(FIRST_TENSORS));
    harness = await startHarness({ clients: 3, specification: EXTERNAL_TASK, initial, learning: "scripted" });
    const path = `${PYTHON_ENVIRONMENT.PYTHONPATH}${delimiter}${PROGRAMS}`;
    const environment = Object.entries({ ...PYTHON_ENVIRONMENT, PYTHONPATH: path }).map((pair) => pair.join("="));
    const words = ["env", ...environment, PYTHON] as const;
    const [byCommand, byFlower, byServer] = harness.clients;
    trainWith(byCommand!, commandOf(byCommand!, [...words, join(PROGRAMS, "trainers.py"), "command"], folder));
    trainWith(byFlower!, commandOf(byFlower!, [...words, "-m", "verisum.flower", "trainers:client"], folder));
    const { port, release } = await reservePort();
    await release();
    server = spawn(PYTHON, [join(PROGRAMS, "trainers.py"), "server", `${port}`], {
      env: { ...process.env, ...PYTHON_ENVIRONMENT, VERISUM_TRAINER_TOKEN: TOKEN },
      stdio: ["ignore", "ignore", "inherit"],
    });
    const url = trainerUrl(`http://127.0.0.1:${port}`);
    trainWith(byServer!, httpTrainer({ url, token: TOKEN, now: Date.now }));
  });
  after(async () => {
    if (server !== undefined) {
      server.kill();
      await once(server, "exit");
    }
    await harness?.close();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  it("take part by a command, as a Flower client and by a server, and move the model by what they added", async () => {
    for (let round = 1; round <= ROUNDS; round++) {
      const { state, records } = await harness!.playRound();
      assert.equal(state.phase, "Finalised");
      assert.equal(records.submitted.length, 3);
      const { cid, digest } = await harness!.operator.latestModel();
      const weights = weightsOf(harness!.task.document, await loadModelState(harness!.task, cid, digest));
      const first = FIRST_TENSORS.flatMap(({ data }) => [...data]);
      const off = first.map((start, i) => Math.abs(weights[i]! - start - round * step));
      assert.ok(Math.max(...off) <= round * 2 ** -10, `${Math.max(...off)}`);
    }
    const log = await readFile(join(folder!, harness!.clients[1]!.account, "round-2.log"), "utf8");
    assert.match(log, /num_examples does not change how much this client counts/);
    assert.match(log, /embedding is frozen/);
  });

  it("load what was published from a gateway, by its CID", async () => {
    const { cid } = await harness!.operator.latestModel();
    const program = `import json, sys, verisum
c = verisum.load(sys.argv[1], sys.argv[2])
json.dump({"round": c.round, "tensors": {n: t.ravel().tolist() for n, t in c.tensors.items()}}, sys.stdout)`;
    const { status, stdout, stderr } = await python(["-c", program, harness!.aggregator.url, cidFromDigest(cid)]);
    assert.equal(status, 0, stderr);
    const { round, tensors } = JSON.parse(stdout) as { round: number; tensors: Record<string, number[]> };
    assert.equal(round, ROUNDS);
    assert.deepEqual(
      Object.keys(tensors),
      FIRST_TENSORS.map(({ name }) => name),
    );
    for (const { name, data } of FIRST_TENSORS)
      tensors[name]!.forEach((value, i) => assert.ok(Math.abs(value - data[i]! - ROUNDS * step) <= ROUNDS * 2 ** -10));
    assert.ok((await harness!.audit()).ok);
  });
});
