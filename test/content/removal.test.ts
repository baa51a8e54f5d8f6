/** Removing directories on a disk that is full, and when the process ends in between. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { cp, open, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, it } from "mocha";
import { parseDirectoryCid } from "../../content/cid.ts";
import { DEFAULT_DAG_LIMITS } from "../../content/dag.ts";
import { DiskBlocks } from "../../content/disk.ts";
import { removeFromDisk } from "../../content/removal.ts";
import { rejectsWith, seededBytes, text, Workbench } from "./support.ts";

const MIB = 1_048_576;
const bench = new Workbench();

/** Blocks of a store, by their files. */
async function blocksIn(directory: string): Promise<readonly string[]> {
  const names = await readdir(join(directory, "blocks"), { recursive: true });
  return names.filter((name) => name.endsWith(".data"));
}

/** Mounts a file system in memory of so many MiB. @throws where this user may mount none */
function mountMemory(folder: string, mebibytes: number): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", folder], { stdio: "ignore" });
}

function unmount(folder: string): void {
  execFileSync("umount", ["--lazy", folder]);
}

const MAY_MOUNT = ((): boolean => {
  const folder = mkdtempSync(join(tmpdir(), "verisum-mount-"));
  try {
    mountMemory(folder, 1);
    unmount(folder);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(folder);
  }
})();

async function smallDisk(mebibytes: number): Promise<string> {
  const folder = await bench.folder();
  mountMemory(folder, mebibytes);
  bench.onClose(async () => unmount(folder));
  return folder;
}

/** Takes every byte that is left. */
async function fill(folder: string): Promise<void> {
  const file = await open(join(folder, "filler"), "w");
  try {
    for (const size of [MIB, 4096, 1]) {
      const bytes = new Uint8Array(size);
      const error = await (async () => {
        for (;;) await file.writeFile(bytes);
      })().catch((cause: unknown) => cause);
      assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
    }
  } finally {
    await file.close();
  }
}

describe("removing directories", function () {
  this.timeout(60_000);
  afterEach(() => bench.clear());

  const disk = MAY_MOUNT ? "on a disk of its own" : "on a disk of its own (whoever runs this may mount none)";
  (MAY_MOUNT ? describe : describe.skip)(disk, () => {
    it("needs no room on a disk that is full to the last byte", async () => {
      const folder = await smallDisk(8);
      const directory = join(folder, "ipfs");
      const store = await bench.store({ directory });
      const [old, kept] = [
        await store.putDirectory({ "seat-1.bin": seededBytes(1, MIB) }),
        await store.putDirectory({ "state.bin": seededBytes(2, MIB) }),
      ];
      await fill(folder);
      await rejectsWith(store.putDirectory({ "seat-1.bin": text("more") }), "IPFS_STORE_FAILED");
      await store.remove([old]);
      assert.deepEqual([await store.pins(), await store.has(kept)], [[kept], true]);
      assert.equal((await blocksIn(directory)).length, 2);
      await store.putDirectory({ "seat-1.bin": text("more") });
      await store.close();
    });
  });

  it("goes on by the pin after kill -9 at any step, and takes nothing of what is kept", async () => {
    const original = await bench.folder();
    const store = await bench.store({ directory: original });
    const shared = seededBytes(3, 2 * MIB);
    const kept = await store.putDirectory({ "state.bin": shared, "config.json": text("{}") });
    const old = await Promise.all(
      [1, 2].map((label) =>
        store.putDirectory({ shared, own: seededBytes(10 * label, 2 * MIB), note: text(`${label}`) }),
      ),
    );
    await store.close();
    const keptBlocks = 5; // a directory, a file's node and its two leaves, a small file
    let steps = 0;
    for (let isWhole = false; !isWhole; steps++) {
      const directory = await bench.folder();
      await cp(original, directory, { recursive: true });
      isWhole = await removeUntil(directory, old, steps);
      const again = await bench.store({ directory });
      const [pins, left] = [await again.pins(), (await blocksIn(directory)).length - keptBlocks];
      const unpinned = old.filter((cid) => !pins.includes(cid));
      assert.ok(unpinned.length === 0 || left <= old.length, `after ${steps} steps ${left} blocks are left, unpinned`);
      assert.equal(await again.has(kept), true);
      await again.remove(old);
      assert.deepEqual([await again.pins(), await again.has(kept)], [[kept], true]);
      assert.equal((await blocksIn(directory)).length, keptBlocks);
      await again.close();
    }
    assert.ok(steps > 10, `${steps} steps`);
  });
});

/** Ends the removal after so many of its steps, as the end of its process does; true if it had no more. */
async function removeUntil(directory: string, cids: readonly string[], steps: number): Promise<boolean> {
  const disk = await DiskBlocks.open(directory);
  const killed = new Error("killed");
  let left = steps;
  const step = async (change: () => Promise<void>): Promise<void> => {
    if (left-- === 0) throw killed;
    await change();
  };
  try {
    await removeFromDisk(
      {
        pins: () => disk.pins(),
        read: (cid) => disk.read(cid),
        remove: (cid) => step(() => disk.remove(cid)),
        unpin: (roots) => step(() => disk.unpin(roots)),
      },
      cids.map(parseDirectoryCid),
      [],
      DEFAULT_DAG_LIMITS,
    );
    return true;
  } catch (error) {
    if (error !== killed) throw error;
    return false;
  } finally {
    await disk.close();
  }
}
