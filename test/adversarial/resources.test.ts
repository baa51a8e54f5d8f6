import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "mocha";
import { excessOf, trendOf, usageOf } from "./resources.ts";

const BOUND = { most: 100, perRound: 2 };

describe("what a role takes of its machine", () => {
  it("is named by its first and last value and by its growth per round", () => {
    assert.deepEqual(trendOf([10, 13, 16, 19]), { first: 10, last: 19, perRound: 3 });
    assert.equal(trendOf([10, 30, 10, 30, 10]).perRound, 0);
  });

  it("leaves its bound by growing, or by being too much", () => {
    assert.equal(excessOf(trendOf([90, 92, 94]), BOUND), undefined);
    assert.match(excessOf(trendOf([10, 13, 16]), BOUND)!, /grows by 3 a round, at most 2/);
    assert.match(excessOf(trendOf([101, 101]), BOUND)!, /comes to 101, at most 100/);
  });

  it("is read from the process and from its files", async function () {
    if (process.platform !== "linux") this.skip();
    const directory = await mkdtemp(join(tmpdir(), "verisum-usage-"));
    try {
      await mkdir(join(directory, "folder"));
      await writeFile(join(directory, "folder", "file"), new Uint8Array(1000));
      await writeFile(join(directory, "other"), new Uint8Array(24));
      const { memory, descriptors, disk } = await usageOf(process.pid, directory);
      assert.equal(disk, 1024);
      assert.ok(memory > 2 ** 24 && memory < 2 ** 33, String(memory));
      assert.ok(descriptors >= 3);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
