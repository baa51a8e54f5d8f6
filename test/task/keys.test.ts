import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { digestHexOfCid } from "../../content/cid.ts";
import { createContentStore } from "../../content/store.ts";
import type { ContentStore } from "../../content/store.ts";
import { layoutFor } from "../../protocol/layout.ts";
import { PRESETS } from "../../protocol/parameters.ts";
import { toHex } from "../../protocol/transcript.ts";
import { hashVerificationKeys } from "../../protocol/verification-key.ts";
import type { KeySet } from "../../proving/groth16/key-set.ts";
import { closeCurve } from "../../proving/node/open-curve.ts";
import { openStateDirectory } from "../../storage/state-directory.ts";
import type { StateDirectory } from "../../storage/state-directory.ts";
import { loadCommitter, loadProvingKeys } from "../../task/keys.ts";
import type { OpenTask } from "../../task/opened-task.ts";
import { devKeys } from "../support/proving.ts";
import { csprng } from "../support/round-harness.ts";
import { createRecorder } from "../support/round-recorder.ts";

describe("a task's keys on disk", function () {
  this.timeout(60_000);
  let parent: string;
  let state: StateDirectory;
  let store: ContentStore;
  let task: OpenTask;
  let folder: string;
  before(async () => {
    parent = await mkdtemp(join(tmpdir(), "verisum-task-keys-"));
    state = await openStateDirectory(join(parent, "state"));
    store = await createContentStore({ directory: join(parent, "ipfs"), peers: () => [], reporter: createRecorder() });
    const keys = await devKeys();
    const cid = await store.putDirectory(await filesOf(keys));
    folder = state.file("keys", cid);
    task = {
      store,
      document: { keysCid: digestHexOfCid(cid) },
      parameters: { keysHash: toHex(hashVerificationKeys(keys.verificationKeys)) },
      layout: layoutFor(PRESETS.tiny, 500),
    } as unknown as OpenTask;
    await loadCommitter(task, state, csprng, createRecorder());
  });
  after(async () => {
    await store.close();
    await state.release();
    await closeCurve();
    // What a load that failed had begun to write may come yet.
    await rm(parent, { recursive: true, force: true, maxRetries: 5 });
  });

  const damages: Readonly<Record<string, (whole: Uint8Array) => Uint8Array>> = {
    empty: () => new Uint8Array(0),
    truncated: (whole) => whole.subarray(0, -3),
    zeroed: (whole) => new Uint8Array(whole.length),
    "one bit flipped": (whole) => Uint8Array.from(whole, (byte, i) => (i === whole.length >> 1 ? byte ^ 1 : byte)),
  };

  for (const file of ["manifest.json", "verification-keys.json", "powers.bin"])
    for (const [damage, apply] of Object.entries(damages))
      it(`are fetched again when ${file} is ${damage}`, async () => {
        const whole = await readFile(join(folder, file));
        await writeFile(join(folder, file), apply(whole));
        const reporter = createRecorder();
        await loadCommitter(task, state, csprng, reporter);
        assert.equal(reporter.facts("key-damaged").length, 1);
        assert.deepEqual(await readFile(join(folder, file)), whole);
      });

  it("are fetched again when a proving file is damaged, also while they are in use", async () => {
    const reporter = createRecorder();
    const first = await loadProvingKeys(task, state, csprng, reporter);
    await first.prover.close();
    const names = (await readdir(folder)).filter((name) => !/json$|powers/.test(name));
    assert.equal(names.length, 4);
    for (const name of names) {
      const whole = await readFile(join(folder, name));
      await writeFile(join(folder, name), whole.subarray(0, -1));
      const { prover, committer } = await loadProvingKeys(task, state, csprng, reporter);
      assert.ok(committer.capacity > 0);
      while (!(await readFile(join(folder, name)).catch(() => Buffer.alloc(0))).equals(whole))
        await new Promise((resolve) => setTimeout(resolve, 50));
      await prover.close();
    }
    assert.equal(reporter.facts("key-damaged").length, names.length);
  });

  it("say insecure whatever a damaged manifest says", async () => {
    const path = join(folder, "manifest.json");
    const manifest = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    await writeFile(path, JSON.stringify({ ...manifest, insecure: false, notice: "" }));
    const reporter = createRecorder();
    await loadCommitter(task, state, csprng, reporter);
    assert.equal(reporter.facts("insecure-keys").length, 1);
  });
});

async function filesOf({ directory }: KeySet): Promise<Record<string, Uint8Array>> {
  const names = await readdir(directory);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(directory, name))])),
  );
}
