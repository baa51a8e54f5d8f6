import { afterEach, beforeEach, describe, it } from "mocha";
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeDurably } from "../../storage/durable-file.ts";
import { thisProcess } from "../../storage/process-identity.ts";
import { openStateDirectory } from "../../storage/state-directory.ts";
import { rejectsCode } from "../support/errors.ts";

describe("a state directory", () => {
  let parent: string;
  let directory: string;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), "verisum-state-"));
    directory = join(parent, "state");
  });
  afterEach(() => rm(parent, { recursive: true, force: true }));

  it("is private, and free again after its release", async () => {
    const state = await openStateDirectory(directory);
    assert.equal((await stat(directory)).mode & 0o777, 0o700);
    assert.equal(state.file("scope", "name"), join(directory, "scope", "name"));
    await state.release();
    await (await openStateDirectory(directory)).release();
  });

  it("is refused while it is open, and while another process that lives holds it", async () => {
    const state = await openStateDirectory(directory);
    await rejectsCode(openStateDirectory(directory), "STORAGE_LOCKED");
    await state.release();
    const holder = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    try {
      await writeFile(join(directory, "lock"), JSON.stringify({ pid: holder.pid }));
      await rejectsCode(openStateDirectory(directory), "STORAGE_LOCKED");
    } finally {
      holder.kill();
    }
  });

  it("is taken over from a process that died", async () => {
    await (await openStateDirectory(directory)).release();
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    await writeFile(join(directory, "lock"), JSON.stringify({ pid }));
    await openStateDirectory(directory);
    assert.deepEqual(JSON.parse(await readFile(join(directory, "lock"), "utf8")), await thisProcess());
  });

  it("loses what interrupted writes left in it, and nothing else", async () => {
    await (await openStateDirectory(directory)).release();
    await writeDurably(join(directory, "scope", "key"), "secret");
    await writeFile(join(directory, "scope", "key.0b7e.tmp"), "half a secr");
    await openStateDirectory(directory);
    assert.deepEqual(await readdir(join(directory, "scope")), ["key"]);
  });
});
