import { afterEach, beforeEach, describe, it } from "mocha";
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeFolder, PUBLIC_FOLDER } from "../../storage/folder.ts";

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe("Making a folder", () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "verisum-folder-"));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  it("makes those above it, for their owner alone, and says which was the uppermost", async () => {
    assert.equal(await makeFolder(join(home, "a", "b", "c")), join(home, "a"));
    for (const path of ["a", "a/b", "a/b/c"]) assert.equal(await modeOf(join(home, path)), 0o700);
    assert.equal(await makeFolder(join(home, "a", "b", "c")), undefined);
    assert.equal(await makeFolder(join(home, "a", "d")), join(home, "a", "d"));
  });

  it("leaves the mode of what is there, and opens what is for all as far as the mask does", async () => {
    await mkdir(join(home, "a"), { mode: 0o755 });
    await makeFolder(join(home, "a", "b"), PUBLIC_FOLDER);
    assert.deepEqual(
      [await modeOf(join(home, "a")), await modeOf(join(home, "a", "b"))],
      [0o755, 0o777 & ~process.umask()],
    );
  });

  it("is made once by several at a time", async () => {
    const path = join(home, "a", "b");
    await Promise.all(Array.from({ length: 8 }, () => makeFolder(path)));
    assert.equal((await stat(path)).isDirectory(), true);
  });

  it("is refused where a file or a link to nothing is in the way", async () => {
    await writeFile(join(home, "file"), "");
    await symlink(join(home, "nothing"), join(home, "link"));
    await assert.rejects(makeFolder(join(home, "file")), { code: "EEXIST" });
    await assert.rejects(makeFolder(join(home, "file", "a")), { code: "ENOTDIR" });
    await assert.rejects(makeFolder(join(home, "link", "a")), { code: /EEXIST|ENOENT/ });
  });

  const proc = existsSync("/proc/self") ? it : it.skip;
  proc("is refused below /proc, where none can be made, in place of trying for ever", async () => {
    await assert.rejects(makeFolder("/proc/verisum/state"), { code: "ENOENT" });
  });
});
