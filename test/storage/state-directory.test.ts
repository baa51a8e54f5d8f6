import { afterEach, beforeEach, describe, it } from "mocha";
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeRecord, writeDurably } from "../../storage/durable-file.ts";
import { thisProcess } from "../../storage/process-identity.ts";
import { openStateDirectory, STATE_VERSION } from "../../storage/state-directory.ts";
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

  it("that is moved or removed under its process is noticed before the next write", async () => {
    for (const away of [() => rename(directory, join(parent, "moved")), () => rm(directory, { recursive: true })]) {
      const state = await openStateDirectory(directory);
      await state.requireHeld();
      await away();
      await rejectsCode(state.requireHeld(), "STORAGE_MOVED");
      // Another process, in a new directory of that name.
      const next = await openStateDirectory(directory);
      await rm(join(directory, "lock"));
      await writeFile(join(directory, "lock"), JSON.stringify({ pid: process.ppid }));
      await rejectsCode(state.requireHeld(), "STORAGE_MOVED");
      await state.release();
      await rejectsCode(openStateDirectory(directory), "STORAGE_LOCKED");
      await next.release();
      await rm(directory, { recursive: true });
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

  it("knows a copy of itself, and one that came back from a backup", async () => {
    const backup = join(parent, "backup");
    const copies: readonly [string, () => Promise<unknown>][] = [
      [
        "copied elsewhere",
        () => cp(directory, join(parent, "elsewhere"), { recursive: true, preserveTimestamps: true }),
      ],
      [
        "replaced by a backup",
        async () => {
          await rm(directory, { recursive: true });
          await cp(backup, directory, { recursive: true, preserveTimestamps: true });
        },
      ],
      [
        "overwritten by a backup, file by file",
        () => cp(backup, directory, { recursive: true, preserveTimestamps: true }),
      ],
    ];
    for (const [what, copy] of copies) {
      await (await openStateDirectory(directory)).release();
      await rm(backup, { recursive: true, force: true });
      await cp(directory, backup, { recursive: true, preserveTimestamps: true });
      const state = await openStateDirectory(directory);
      assert.equal(state.copied, false, "the original goes on");
      await state.release();
      await copy();
      const copied = await openStateDirectory(what === "copied elsewhere" ? join(parent, "elsewhere") : directory);
      assert.equal(copied.copied, true, what);
      await copied.release();
      const again = await openStateDirectory(copied.path);
      assert.equal(again.copied, true, `${what}, until somebody has made it harmless`);
      await again.adopt();
      assert.equal(again.copied, false, `${what}, which is its own from then on`);
      await again.release();
      const adopted = await openStateDirectory(copied.path);
      assert.equal(adopted.copied, false);
      await adopted.release();
    }
  });

  it("with a damaged mark counts as a copy", async () => {
    await (await openStateDirectory(directory)).release();
    const whole = await readFile(join(directory, "state.json"));
    for (const bytes of ["", whole.subarray(0, -2), new Uint8Array(whole.length), "null", encodeRecord({})]) {
      await writeFile(join(directory, "state.json"), bytes);
      const state = await openStateDirectory(directory);
      assert.equal(state.copied, true);
      await state.release();
    }
  });

  it("of an earlier version, which had no mark, gets one", async () => {
    await mkdir(join(directory, "scope"), { recursive: true });
    await writeDurably(join(directory, "scope", "release-1.json"), "kept");
    const state = await openStateDirectory(directory);
    assert.equal(state.copied, false);
    assert.deepEqual((await readdir(directory)).sort(), ["lock", "scope", "state.json"]);
    assert.equal(await readFile(state.file("scope", "release-1.json"), "utf8"), "kept");
  });

  it("of a later version is refused, and nothing in it changes", async () => {
    await (await openStateDirectory(directory)).release();
    for (const later of [
      { version: STATE_VERSION + 1, inode: "1", made: "1" },
      { version: STATE_VERSION + 1, roles: [] },
    ]) {
      await writeFile(join(directory, "state.json"), encodeRecord(later));
      await writeFile(join(directory, "key.0b7e.tmp"), "half a secret");
      await rejectsCode(openStateDirectory(directory), "STORAGE_NEWER");
      assert.deepEqual((await readdir(directory)).sort(), ["key.0b7e.tmp", "state.json"]);
      assert.equal(await readFile(join(directory, "state.json"), "utf8"), encodeRecord(later));
    }
  });
});
