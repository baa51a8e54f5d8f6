import { afterEach, beforeEach, describe, it } from "mocha";
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createDurably,
  encodeRecord,
  eraseFile,
  publishFolder,
  readIfPresent,
  readRecord,
  writeDurably,
} from "../../storage/durable-file.ts";
import { FULL_DEVICE, onFullDevice } from "../support/full-device.ts";
import { rejectsCode } from "../support/errors.ts";

describe("durable files", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "verisum-storage-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it("replace a file whole, for its owner only, and leave no temporary file", async () => {
    const path = join(directory, "deep", "file");
    await writeDurably(path, "first, and longer");
    await writeDurably(path, "second");
    assert.equal(await readFile(path, "utf8"), "second");
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await stat(join(directory, "deep"))).mode & 0o777, 0o700);
    assert.deepEqual(await readdir(join(directory, "deep")), ["file"]);
  });

  it("are created once, also by many at the same time", async () => {
    const path = join(directory, "record");
    const created = await Promise.all(Array.from({ length: 10 }, (_, i) => createDurably(path, encodeRecord(i))));
    assert.equal(created.filter(Boolean).length, 1);
    assert.equal(await readRecord(path), created.indexOf(true));
    assert.equal(await createDurably(path, encodeRecord("again")), false);
    assert.deepEqual(await readdir(directory), ["record"]);
  });

  it("are whole whichever of many writers comes last", async () => {
    const path = join(directory, "record");
    await Promise.all(Array.from({ length: 10 }, (_, i) => writeDurably(path, encodeRecord("x".repeat(1000 * i)))));
    assert.equal(((await readRecord(path)) as string).length % 1000, 0);
    assert.deepEqual(await readdir(directory), ["record"]);
  });

  it("come as a folder, whole, once", async () => {
    const [temporary, folder] = [join(directory, "temporary"), join(directory, "folder")];
    for (const content of ["first", "second"]) {
      await mkdir(join(temporary, "deep"), { recursive: true });
      await writeFile(join(temporary, "deep", "file"), content);
      if (content === "first") await publishFolder(temporary, folder);
      else await rejectsCode(publishFolder(temporary, folder), "STORAGE_FAILED");
    }
    assert.equal(await readFile(join(folder, "deep", "file"), "utf8"), "first");
  });

  it("read as undefined when there is none", async () => {
    assert.equal(await readIfPresent(join(directory, "none")), undefined);
    assert.equal(await readRecord(join(directory, "none")), undefined);
  });

  it("keep any JSON value", async () => {
    const path = join(directory, "record");
    for (const value of [null, 0, "text", [1, { a: "é" }], { nested: { list: [] } }]) {
      await writeDurably(path, encodeRecord(value));
      assert.deepEqual(await readRecord(path), value);
    }
  });

  it("are corrupt with any byte changed or missing", async () => {
    const path = join(directory, "record");
    const whole = new TextEncoder().encode(encodeRecord({ included: "5" }));
    for (let at = 0; at < whole.length; at++) {
      await writeFile(
        path,
        Uint8Array.from(whole, (byte, i) => (i === at ? byte ^ 4 : byte)),
      );
      await rejectsCode(readRecord(path), "STORAGE_CORRUPT");
      await writeFile(path, whole.subarray(0, at));
      await rejectsCode(readRecord(path), "STORAGE_CORRUPT");
    }
  });

  it("are erased, and erasing none is no failure", async () => {
    const path = join(directory, "key");
    await writeDurably(path, "secret");
    await eraseFile(path);
    assert.equal(await readIfPresent(path), undefined);
    await eraseFile(path);
  });

  it(
    "name a full disk",
    onFullDevice(async () => {
      const path = join(directory, "full");
      for (const write of [writeDurably, createDurably]) {
        const temporary = join(directory, "temporary");
        await symlink(FULL_DEVICE, temporary);
        await rejectsCode(write(path, "x", { temporary }), "STORAGE_FULL");
        assert.deepEqual(await readdir(directory), []);
      }
    }),
  );

  it("name what cannot be used", async function () {
    await mkdir(join(directory, "folder"));
    await rejectsCode(readIfPresent(join(directory, "folder")), "STORAGE_FAILED");
    await rejectsCode(writeDurably(join(directory, "folder"), "x"), "STORAGE_FAILED");
    await writeFile(join(directory, "file"), "");
    await rejectsCode(createDurably(join(directory, "file", "below"), "x"), "STORAGE_FAILED");
    if (process.getuid?.() === 0) return;
    await chmod(directory, 0o500);
    await rejectsCode(writeDurably(join(directory, "new"), "x"), "STORAGE_FAILED");
    await chmod(directory, 0o700);
  });
});
