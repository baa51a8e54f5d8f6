import { afterEach, beforeEach, describe, it } from "mocha";
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

  it("is refused while another process that lives holds it", async () => {
    const holder = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    try {
      await (await openStateDirectory(directory)).release();
      await writeFile(join(directory, "lock"), String(holder.pid));
      await rejectsCode(openStateDirectory(directory), "STORAGE_LOCKED");
    } finally {
      holder.kill();
    }
  });

  it("is taken over from a process that died", async () => {
    await (await openStateDirectory(directory)).release();
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    await writeFile(join(directory, "lock"), String(pid));
    await openStateDirectory(directory);
    assert.equal(await readFile(join(directory, "lock"), "utf8"), String(process.pid));
  });

  for (const [what, content] of [
    ["empty", ""],
    ["noise", "not a number"],
    ["zero", "0"],
    ["negative", "-1"],
  ] as const) {
    it(`is taken over when its lock is ${what}`, async () => {
      await (await openStateDirectory(directory)).release();
      await writeFile(join(directory, "lock"), content);
      await openStateDirectory(directory);
    });
  }
});
