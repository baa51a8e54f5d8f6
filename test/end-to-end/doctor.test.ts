/** The command `fl doctor`, on a task that is deployed on a real chain, with real nodes and keys. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, readdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "mocha";
import { doctorReportSchema } from "../../auditor/doctor/report.ts";
import { userRecords } from "../../command/user-records.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { loadProvingKeys } from "../../task/keys.ts";
import { createRecorder } from "../support/round-recorder.ts";
import { csprng, startHarness } from "../support/round-harness.ts";
import type { RoundHarness } from "../support/round-harness.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Where programs of one user remember checked keys. */
let cache: string;

interface Told {
  readonly status: number | null;
  /** States of all findings of a check, by its name. */
  readonly checks: Readonly<Record<string, readonly string[]>>;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command while this process goes on serving the chain and the nodes. */
async function doctor(...options: readonly string[]): Promise<Told> {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "auditor/cli.ts", "doctor", "--format", "json", ...options],
    { cwd: ROOT, env: { ...process.env, VERISUM_KEY: undefined, VERISUM_RPC: undefined, XDG_CACHE_HOME: cache } },
  );
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (text: string) => (texts[name] += text));
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  assert.notEqual(texts.stdout, "", texts.stderr);
  const { data } = doctorReportSchema.parse(JSON.parse(texts.stdout));
  const checks: Record<string, string[]> = {};
  for (const { check, state } of data.checks) (checks[check] ??= []).push(state);
  return { status, checks, ...texts };
}

describe("fl doctor", function () {
  this.timeout(180_000);
  let harness: RoundHarness;
  let task: readonly string[];
  const keyOf = async (index: number): Promise<string> => {
    const file = join(harness.directory, `account-${index}.key`);
    await writeFile(file, harness.chain.wallet(index).privateKey, { mode: 0o600 });
    return file;
  };
  before(async () => {
    harness = await startHarness({ clients: 3, learning: "scripted" });
    cache = join(harness.directory, "cache");
    task = ["--contract", harness.contract, "--rpc", harness.chain.rpc];
  });
  after(() => harness.close());

  it("finds nothing wrong with a client of a task that runs", async () => {
    const client = harness.clients[0]!;
    const account = [...Array(20).keys()].find(
      (i) => harness.chain.wallet(i).address.toLowerCase() === client.account.toLowerCase(),
    )!;
    const { document } = harness.task;
    const missing = await doctor(...task, "--state", client.node.state.path);
    assert.deepEqual([missing.status, missing.checks["keys"]], [0, ["warning"]]);
    const records = userRecords({ XDG_CACHE_HOME: cache });
    const keys = await loadProvingKeys(harness.task, client.node.state, csprng, createRecorder(), records);
    await keys.checked;
    const { status, checks, stdout } = await doctor(
      ...task,
      ...["--state", client.node.state.path, "--key", await keyOf(account), "--data", "digits"],
      ...["--listen", "127.0.0.1:0"],
    );
    const names = ["node", "clock", "disk", "state", "deployment", "chain", "finality", "contract", "peers", "task"];
    for (const name of [...names, "growth", "keys", "account", "funds", "data", "listen"])
      assert.deepEqual([...new Set(checks[name])], ["ok"], `${name}: ${stdout}`);
    assert.ok(checks["peers"]!.length >= 4);
    assert.equal(status, 0);
    assert.match(stdout, new RegExp(`process ${process.pid}`));
    await truncate(client.node.state.file("keys", cidFromDigest(document.keysCid), "powers.bin"), 64);
    assert.deepEqual((await doctor(...task, "--state", client.node.state.path)).checks["keys"], ["warning"]);
  });

  it("fails for an account without a part or funds, and for data that the model does not take", async () => {
    const file = join(harness.directory, "data.csv");
    await writeFile(file, "a,b,label\n1,2,0\n3,4,1\n5,6,0\n7,8,1\n1,1,0\n2,2,1\n");
    const key = join(harness.directory, "stranger.key");
    await writeFile(key, `0x${"5e".repeat(32)}\n`, { mode: 0o600 });
    const { status, checks, stderr } = await doctor(...task, "--key", key, "--data", file);
    assert.deepEqual([checks["account"], checks["funds"], checks["data"]], [["ok"], ["failed"], ["failed"]]);
    assert.equal(status, 1);
    assert.match(stderr, /CHECKS_FAILED/);
  });

  it("says once what is away, and skips what needs it", async () => {
    const { status, checks } = await doctor("--contract", harness.contract, "--rpc", "http://127.0.0.1:9");
    assert.equal(status, 1);
    assert.deepEqual(checks["chain"], ["failed"]);
    for (const name of ["clock", "finality", "contract", "peers", "task", "growth"])
      assert.deepEqual(checks[name], ["skipped"], name);
    const elsewhere = await doctor("--contract", `0x${"12".repeat(20)}`, "--rpc", harness.chain.rpc);
    assert.deepEqual([elsewhere.checks["chain"], elsewhere.checks["contract"]], [["ok"], ["failed"]]);
    assert.deepEqual(elsewhere.checks["task"], ["skipped"]);
  });

  it("warns of an endpoint that is dead beside a living one, and fails on another chain", async () => {
    const beside = await doctor(...task, "--rpc", "http://127.0.0.1:9");
    assert.deepEqual([beside.status, beside.checks["chain"]], [0, ["ok", "warning"]]);
    const other = await doctor(...task, "--chain-id", "1");
    assert.deepEqual([other.status, other.checks["chain"]], [1, ["failed"]]);
  });

  it("looks at the machine alone where it is told nothing, and writes nothing", async () => {
    const state = join(harness.directory, "untouched");
    await mkdir(state, { mode: 0o700 });
    const { status, checks } = await doctor("--state", state);
    assert.equal(status, 0);
    assert.deepEqual(Object.keys(checks), ["node", "clock", "disk", "state", "deployment"]);
    assert.deepEqual(await readdir(state), []);
  });
});
