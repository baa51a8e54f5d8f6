import assert from "node:assert/strict";
import { describe, it } from "mocha";
import {
  buildDirectory,
  CHUNK_BYTES,
  isEntryName,
  MAX_CHILDREN_PER_FILE_NODE,
  MAX_DIRECTORY_ENTRIES,
} from "../../content/profile.ts";
import { BOXO_CIDS, DIRECTORIES } from "./directories.ts";
import type { HandBlock } from "./support.ts";
import { DIRECTORY_DATA, fileData, pbBlock, rawBlock, rejectsWith, seededBytes, text } from "./support.ts";

/** The profile unixfs-v1-2025 by hand: 1 MiB raw leaves, balanced nodes of 1024, single leaves as they are. */
function fileByHand(bytes: Uint8Array): { top: HandBlock; totalBytes: number } {
  let level = Array.from({ length: Math.max(1, Math.ceil(bytes.length / 1_048_576)) }, (_, index) => {
    const block = rawBlock(bytes.subarray(index * 1_048_576, (index + 1) * 1_048_576));
    return { block, fileBytes: block.bytes.length, totalBytes: block.bytes.length };
  });
  while (level.length > 1) {
    const groups = Array.from({ length: Math.ceil(level.length / 1024) }, (_, index) =>
      level.slice(index * 1024, (index + 1) * 1024),
    );
    level = groups.map((group) => {
      const links = group.map((part) => ({ cid: part.block.cidBytes, name: "", totalBytes: part.totalBytes }));
      const block = pbBlock(links, fileData(group.map((part) => part.fileBytes)));
      const sum = (pick: (part: (typeof group)[number]) => number): number =>
        group.reduce((total, part) => total + pick(part), 0);
      return {
        block,
        fileBytes: sum((part) => part.fileBytes),
        totalBytes: block.bytes.length + sum((part) => part.totalBytes),
      };
    });
  }
  const [top] = level;
  assert.ok(top !== undefined);
  return { top: top.block, totalBytes: top.totalBytes };
}

function directoryByHand(files: Readonly<Record<string, Uint8Array>>): string {
  const links = Object.entries(files).map(([name, bytes]) => {
    const { top, totalBytes } = fileByHand(bytes);
    return { cid: top.cidBytes, name, totalBytes };
  });
  links.sort((left, right) => Buffer.compare(text(left.name), text(right.name)));
  return pbBlock(links, DIRECTORY_DATA).cid;
}

describe("ipfs CID profile unixfs-v1-2025", () => {
  it("has the constants of IPIP-0499", () => {
    assert.equal(CHUNK_BYTES, 1_048_576);
    assert.equal(MAX_CHILDREN_PER_FILE_NODE, 1024);
  });

  for (const length of [0, 1, 1_048_575, 1_048_576, 1_048_577, 3 * 1_048_576 + 17]) {
    it(`gives a file of ${length} bytes the CID computed by hand`, async () => {
      const files = { "model.safetensors": seededBytes(length + 5, length) };
      assert.equal((await buildDirectory(files)).root.toString(), directoryByHand(files));
    });
  }

  for (const [name, files] of Object.entries(DIRECTORIES)) {
    it(`gives the directory "${name}" the CID recorded from boxo`, async () => {
      assert.equal((await buildDirectory(files)).root.toString(), BOXO_CIDS[name]);
    });
  }

  it("orders entries by the bytes of their names, whatever order they are given in", async () => {
    const names = ["b", "a", "B", "10", "9", "é", "z", "\u{1f600}", "\uffee", "__proto__", "constructor"];
    const files = Object.fromEntries(names.map((name) => [name, text(name)]));
    const reversed = Object.fromEntries([...names].reverse().map((name) => [name, text(name)]));
    assert.equal(Object.keys(files).length, names.length);
    const { root } = await buildDirectory(files);
    assert.equal(root.toString(), directoryByHand(files));
    assert.equal((await buildDirectory(reversed)).root.toString(), root.toString());
  });

  it("uses a second level of nodes above 1024 chunks", async function () {
    this.timeout(20_000);
    // One MiB repeated 1025 times: two distinct leaves at most, so that the test stays small on disk and in memory.
    const bytes = new Uint8Array(1025 * 1_048_576);
    const { root } = await buildDirectory({ big: bytes });
    assert.equal(root.toString(), directoryByHand({ big: bytes }));
  });

  it("rejects names that could be paths or hide themselves", async () => {
    const names = [
      "",
      ".",
      "..",
      "/",
      "a/b",
      "../x",
      "/etc/passwd",
      "a\\b",
      "C:\\x",
      "nul\0",
      "new\nline",
      "\u007f",
      "\ud800",
      "x".repeat(256),
      "é".repeat(128),
    ];
    for (const name of names) {
      assert.equal(isEntryName(name), false, JSON.stringify(name));
      await rejectsWith(buildDirectory({ [name]: text("x") }), "IPFS_DIRECTORY_INVALID");
    }
    assert.equal(isEntryName("x".repeat(255)), true);
    assert.equal(isEntryName("..."), true);
  });

  it("rejects empty directories, too many entries, and entries that need a sharded directory", async () => {
    await rejectsWith(buildDirectory({}), "IPFS_DIRECTORY_INVALID");
    const numbered = (count: number, width: number): Record<string, Uint8Array> =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [String(index).padStart(width, "n"), text("x")]));
    await rejectsWith(buildDirectory(numbered(MAX_DIRECTORY_ENTRIES + 1, 1)), "IPFS_DIRECTORY_INVALID");
    await rejectsWith(buildDirectory(numbered(MAX_DIRECTORY_ENTRIES, 255)), "IPFS_DIRECTORY_INVALID");
  });
});
