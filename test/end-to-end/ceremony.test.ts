/** Keys of a ceremony from the public powers of tau to a verified round, by the commands that people type. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "mocha";
import { powersOfTau } from "snarkjs";
import { parsePreparedTask } from "../../operator/prepare-task.ts";
import { PRESETS } from "../../protocol/parameters.ts";
import { closeCurve } from "../../proving/node/open-curve.ts";
import { makePublicPowers } from "../support/powers-of-tau.ts";
import { startRoundChain } from "../support/round-chain.ts";
import type { RoundChain } from "../support/round-chain.ts";
import { deployCell, startHarness } from "../support/round-harness.ts";
import { TINY_SPECIFICATION } from "../support/tiny-specification.ts";
import type { RoundHarness } from "../support/round-harness.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PARTIES = ["ETH Zürich", "Inselspital Bern", "EPFL"] as const;
const CLIENTS = 3;
/** 585 weights, one chunk of the smallest kind. */
const ONE_CHUNK = {
  ...TINY_SPECIFICATION,
  document: { ...TINY_SPECIFICATION.document, model: { ...TINY_SPECIFICATION.document.model, classCount: 9 } },
};

interface Ended {
  readonly status: number;
  readonly stdout: string;
}

interface Status {
  readonly data: { readonly keysOrigin: { readonly state: string; readonly contributors: readonly string[] } };
}

interface Verdict {
  readonly data: {
    readonly ok: boolean;
    readonly keys?: { readonly state: string; readonly contributors: readonly string[] };
    readonly findings: readonly { readonly check: string; readonly ok: boolean }[];
  };
}

/** Runs a program in a process of its own: this one serves the chain and the content meanwhile. */
const run = (file: string, ...args: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", file, ...args],
      { cwd: ROOT, encoding: "utf8" },
      (error, stdout) => resolve({ status: error === null ? 0 : Number(error.code ?? 1), stdout }),
    );
  });

async function succeed(file: string, ...args: readonly string[]): Promise<string> {
  const { status, stdout } = await run(file, ...args);
  assert.equal(status, 0, `${file} ${args.join(" ")}`);
  return stdout;
}

describe("a task whose keys three parties made", function () {
  this.timeout(600_000);
  let scratch: string;
  let chain: RoundChain;
  let harness: RoundHarness;
  let exported: string;
  const at = (name: string): string => join(scratch, name);
  const fl = (...args: readonly string[]): Promise<string> => succeed("auditor/cli.ts", ...args);

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), "verisum-ceremony-"));
    const { one } = await makePublicPowers(scratch, PRESETS.tiny.kinds[0]!.domainBits + 1, 1);
    const powers = at("public.ptau");
    await powersOfTau.beacon(one, powers, "a beacon", "07".repeat(32), 10);
    await fl("setup", "import", "--powers", powers, "--preset", "tiny", "--out", at("setup-0"));
    for (const [k, name] of PARTIES.entries())
      await fl("setup", "contribute", "--setup", at(`setup-${k}`), "--name", name, "--out", at(`setup-${k + 1}`));
    exported = await fl("setup", "export", "--setup", at("setup-3"), "--out", at("keys"), "--format", "json");
    await writeFile(at("specification.json"), JSON.stringify(ONE_CHUNK));
    await succeed(
      "operator/cli.ts",
      "create-task",
      ...["--task", at("specification.json"), "--keys", at("keys"), "--store", at("aggregator/ipfs")],
      ...["--out", at("task.json"), "--ignition", at("ignition.json")],
    );
    chain = await startRoundChain();
    const prepared = parsePreparedTask(await readFile(at("task.json"), "utf8"));
    const cell = await deployCell(chain, prepared, { clients: CLIENTS }, 0);
    harness = await startHarness({
      clients: CLIENTS,
      learning: "scripted",
      cell: { ...cell, directory: scratch, peers: [] },
    });
  });
  after(async () => {
    await harness.close();
    await chain.close();
    await closeCurve();
    await rm(scratch, { recursive: true, force: true });
  });

  /** What an auditor with this state directory is told. */
  const ask = (command: string, state: string, ...more: readonly string[]): Promise<Ended> =>
    run(
      "auditor/cli.ts",
      ...[command, "--contract", harness.contract, "--rpc", chain.rpc, "--confirmations", "0"],
      ...["--peer", harness.aggregator.url, "--state", at(state), ...more],
    );
  const status = async (state: string): Promise<Status["data"]["keysOrigin"]> => {
    const { stdout } = await ask("status", state, "--format", "json");
    return (JSON.parse(stdout) as Status).data.keysOrigin;
  };
  const verdict = async (state: string): Promise<Verdict["data"]> => {
    const { stdout } = await ask("verify", state, "--format", "json");
    return (JSON.parse(stdout) as Verdict).data;
  };

  it("verifies as a folder, and exports keys that name them", async () => {
    const verified = await fl("setup", "verify", "--setup", at("setup-3"));
    assert.match(verified, /contributors +ETH Zürich, Inselspital Bern, EPFL\n/);
    const { data } = JSON.parse(exported) as { data: { contributors: readonly string[]; powersContributions: number } };
    assert.deepEqual([data.contributors, data.powersContributions], [PARTIES, 2]);
  });

  it("finishes a round under these keys", async () => {
    const { state, records } = await harness.playRound();
    assert.deepEqual([state.phase, records.submitted.length], ["Finalised", CLIENTS]);
  });

  it("is a claim to whoever only looks, and what it is to whoever verifies, in text and in JSON", async () => {
    assert.deepEqual(await status("auditor").then(({ state, contributors }) => [state, contributors]), [
      "claimed",
      PARTIES,
    ]);
    const { ok, keys } = await verdict("auditor");
    assert.deepEqual([ok, keys?.state, keys?.contributors], [true, "verified", PARTIES]);
    assert.equal((await status("auditor")).state, "verified");
    const { stdout } = await ask("status", "auditor");
    assert.match(stdout, /^keys +.*ceremony of 3 contributors: ETH Zürich; Inselspital Bern; EPFL/m);
  });

  for (const [what, change] of [
    ["altered", (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1").replace("EPFL", "EPFX")],
    ["missing", () => undefined],
  ] as const) {
    it(`stays a claim where the transcript is ${what}: no check of it passes`, async () => {
      const file = await blockOf(at("aggregator/ipfs/blocks"), '"name": "EPFL"');
      const whole = await readFile(file);
      const changed = change(whole);
      if (changed === undefined) await rm(file);
      else await writeFile(file, changed, "latin1");
      const { ok, keys, findings } = await verdict(what);
      assert.deepEqual([ok, keys], [false, undefined]);
      assert.deepEqual(
        findings.filter((finding) => !finding.ok).map(({ check }) => check),
        ["setup"],
      );
      assert.equal((await status(what)).state, "claimed");
      await writeFile(file, whole);
    });
  }
});

/** The block that holds this text. */
async function blockOf(folder: string, text: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((candidate) => candidate.isFile())) {
    const file = join(entry.parentPath, entry.name);
    if ((await readFile(file)).includes(text)) return file;
  }
  throw new Error(`no block has ${text}`);
}
