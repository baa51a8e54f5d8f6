import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { parseBlockCid } from "../../content/cid.ts";
import { DEFAULT_DAG_LIMITS, readFileBytes, readWholeFile, walkDag } from "../../content/dag.ts";
import type { DagLimits, ReadBlock } from "../../content/dag.ts";
import { decodeNode } from "../../content/node.ts";
import { VerisumError } from "../../protocol/errors.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import type { HandBlock, HandLink } from "./support.ts";
import {
  bytesField,
  cidBytes,
  cidText,
  collect,
  DIRECTORY_DATA,
  directoryOf,
  fileData,
  intField,
  pbBlock,
  rawBlock,
  rejectsWith,
  seededBytes,
  text,
} from "./support.ts";

/** A reader over blocks by hand, which counts what is asked of it. */
function readerOf(blocks: readonly HandBlock[]): { read: ReadBlock; count: () => number } {
  const held = new Map(blocks.map((block) => [block.cid, block.bytes]));
  let reads = 0;
  const read = async (cid: { toString(): string }): Promise<Uint8Array> => {
    reads += 1;
    const bytes = held.get(cid.toString());
    if (bytes === undefined) throw new VerisumError("IPFS_NOT_FOUND", cid.toString());
    return bytes;
  };
  return { read, count: () => reads };
}

async function readBoth(
  top: HandBlock,
  blocks: readonly HandBlock[],
  code: ErrorCode,
  limits: Partial<DagLimits> = {},
): Promise<number> {
  const all = { ...DEFAULT_DAG_LIMITS, ...limits };
  const reader = readerOf([top, ...blocks]);
  await rejectsWith(readWholeFile(parseBlockCid(top.cid), reader.read, all), code);
  await rejectsWith(collect(walkDag(parseBlockCid(top.cid), reader.read, all)), code);
  return reader.count();
}

const leaf = rawBlock(seededBytes(3, 100));
const link = (block: HandBlock, name = "", totalBytes = block.bytes.length): HandLink => ({
  cid: block.cidBytes,
  name,
  totalBytes,
});
const decode = (block: HandBlock): unknown => decodeNode(parseBlockCid(block.cid), block.bytes);

describe("ipfs DAG reading", () => {
  it("reads ranges of a file of several levels as slices of the whole", async () => {
    const leaves = Array.from({ length: 9 }, (_, index) => rawBlock(seededBytes(index * 2 + 1, 10 + index)));
    const middles = [0, 3, 6].map((at) => {
      const parts = leaves.slice(at, at + 3);
      return {
        parts,
        node: pbBlock(
          parts.map((part) => link(part)),
          fileData(parts.map((part) => part.bytes.length)),
        ),
      };
    });
    const sizes = middles.map(({ parts }) => parts.reduce((total, part) => total + part.bytes.length, 0));
    const top = pbBlock(
      middles.map(({ node }) => link(node)),
      fileData(sizes),
    );
    const whole = Buffer.concat(leaves.map((part) => part.bytes));
    const { read } = readerOf([top, ...leaves, ...middles.map(({ node }) => node)]);
    const cid = parseBlockCid(top.cid);
    assert.deepEqual(Buffer.from(await readWholeFile(cid, read, DEFAULT_DAG_LIMITS)), whole);
    for (let start = 0; start < whole.length; start += 1) {
      for (const end of [start + 1, start + 11, whole.length]) {
        const parts = await collect(readFileBytes(cid, read, DEFAULT_DAG_LIMITS, { start, end }));
        assert.deepEqual(Buffer.concat(parts), whole.subarray(start, end));
      }
    }
    const walked = await collect(walkDag(cid, read, DEFAULT_DAG_LIMITS));
    assert.equal(walked.length, 13);
  });

  it("refuses a small DAG that claims a TiB before reading anything below it", async () => {
    const claim = 2 ** 40;
    const top = pbBlock([link(leaf)], fileData([claim]));
    assert.ok(top.bytes.length < 1024);
    assert.equal(await readBoth(top, [leaf], "IPFS_LIMIT_EXCEEDED"), 2); // the top block, once for each reader
  });

  it("refuses a DAG that unfolds to a TiB by repeating itself", async () => {
    // 40 levels of two links to the same child: 2^40 leaves in 41 blocks, every claim true.
    const blocks = [leaf];
    let size = leaf.bytes.length;
    for (let level = 0; level < 40; level += 1) {
      const child = blocks.at(-1) ?? leaf;
      blocks.push(pbBlock([link(child), link(child)], fileData([size, size])));
      size *= 2;
    }
    await readBoth(blocks.at(-1) ?? leaf, blocks, "IPFS_LIMIT_EXCEEDED");
    await readBoth(blocks[3] ?? leaf, blocks, "IPFS_LIMIT_EXCEEDED", { maxBytes: 799 });
    await readBoth(blocks[12] ?? leaf, blocks, "IPFS_LIMIT_EXCEEDED", { maxDepth: 11 });
    await rejectsWith(
      readWholeFile(parseBlockCid(blocks[10]?.cid ?? ""), readerOf(blocks).read, {
        ...DEFAULT_DAG_LIMITS,
        maxDepth: 20,
        maxBlocks: 100,
      }),
      "IPFS_LIMIT_EXCEEDED",
    );
  });

  it("refuses sizes that are larger or smaller than the leaves", async () => {
    for (const claim of [99, 101, 1])
      await readBoth(pbBlock([link(leaf)], fileData([claim])), [leaf], "IPFS_DAG_INVALID");
    const middle = pbBlock([link(leaf)], fileData([100]));
    await readBoth(pbBlock([link(middle), link(leaf)], fileData([99, 100])), [middle, leaf], "IPFS_DAG_INVALID");
    await readBoth(pbBlock([link(leaf)], fileData([100], 99)), [leaf], "IPFS_DAG_INVALID");
    await readBoth(pbBlock([link(leaf)], fileData([0])), [leaf], "IPFS_DAG_INVALID");
    await readBoth(pbBlock([link(leaf), link(leaf)], fileData([100])), [leaf], "IPFS_DAG_INVALID");
    await readBoth(pbBlock([], fileData([])), [], "IPFS_DAG_INVALID");
  });

  it("refuses long chains, many links and large blocks", async () => {
    const chain = [leaf];
    for (let level = 0; level < 8; level += 1) {
      const child = chain.at(-1) ?? leaf;
      chain.push(pbBlock([link(child)], fileData([100])));
    }
    await readBoth(chain.at(-1) ?? leaf, chain, "IPFS_LIMIT_EXCEEDED");
    const wide = pbBlock(
      Array.from({ length: 1025 }, () => link(leaf)),
      fileData(Array.from({ length: 1025 }, () => 100)),
    );
    assert.ok((await readBoth(wide, [leaf], "IPFS_LIMIT_EXCEEDED")) <= 2);
    await readBoth(rawBlock(new Uint8Array(2 ** 21 + 1)), [], "IPFS_LIMIT_EXCEEDED");
  });

  it("refuses as many links as a block can hold", async function () {
    this.timeout(20_000);
    const one = [...bytesField(2, [...bytesField(1, leaf.cidBytes), ...bytesField(2, []), ...intField(3, 100)])];
    const links = Buffer.concat(Array.from({ length: 40_000 }, () => Uint8Array.from(one)));
    const data = bytesField(1, fileData(Array.from({ length: 40_000 }, () => 100)));
    const bytes = Buffer.concat([links, Uint8Array.from(data)]);
    const id = cidBytes(0x70, bytes);
    await readBoth({ cid: cidText(id), cidBytes: id, bytes }, [leaf], "IPFS_LIMIT_EXCEEDED");
  });

  it("refuses sharded directories whatever their fan-out, symlinks, metadata and unknown types", () => {
    const hamt = (fanOut: number): HandBlock =>
      pbBlock(
        [link(leaf, "00name")],
        [...intField(1, 5), ...bytesField(2, [1]), ...intField(5, 0x22), ...intField(6, fanOut)],
      );
    const blocks = [
      ...[0, 1, 256, 1024, 2 ** 30, 2 ** 40].map(hamt),
      pbBlock([], [...intField(1, 4), ...bytesField(2, text("/etc/passwd"))]),
      pbBlock([], [...intField(1, 3)]),
      pbBlock([], [...intField(1, 0), ...bytesField(2, text("x"))]),
      pbBlock([], [...intField(1, 9)]),
      pbBlock([], []),
    ];
    for (const block of blocks)
      assert.throws(
        () => decode(block),
        (error) => (error as VerisumError).code === "IPFS_DAG_INVALID",
      );
  });

  it("refuses inline data, modes and times, which the profile leaves out", () => {
    const blocks = [
      pbBlock([], [...intField(1, 2), ...bytesField(2, text("inline")), ...intField(3, 6)]),
      pbBlock([link(leaf)], [...fileData([100]), ...intField(7, 0o755)]),
      pbBlock([link(leaf)], [...fileData([100]), ...bytesField(8, intField(1, 1_700_000_000))]),
      pbBlock([link(leaf, "a")], [...DIRECTORY_DATA, ...intField(7, 0o700)]),
      pbBlock([link(leaf, "a")], [...DIRECTORY_DATA, ...intField(3, 100)]),
    ];
    for (const block of blocks)
      assert.throws(
        () => decode(block),
        (error) => (error as VerisumError).code === "IPFS_DAG_INVALID",
      );
  });

  it("refuses directories with names that are paths, or the same name twice", () => {
    for (const name of ["", ".", "..", "/", "../../etc/passwd", "/etc/passwd", "a/b", "nul\0"]) {
      assert.throws(
        () => decode(directoryOf(name, leaf)),
        (error) => (error as VerisumError).code === "IPFS_DAG_INVALID",
        name,
      );
    }
    const twice = pbBlock([link(leaf, "a"), link(rawBlock(text("b")), "a")], DIRECTORY_DATA);
    assert.throws(
      () => decode(twice),
      (error) => (error as VerisumError).code === "IPFS_DAG_INVALID",
    );
  });

  it("refuses directories inside directories", async () => {
    const inner = directoryOf("a", leaf);
    const outer = directoryOf("b", inner);
    const { read } = readerOf([leaf, inner, outer]);
    await rejectsWith(collect(walkDag(parseBlockCid(outer.cid), read, DEFAULT_DAG_LIMITS)), "IPFS_DAG_INVALID");
  });

  it("refuses links by identity, version 0, and other codecs and hashes", () => {
    const links = [
      Uint8Array.of(1, 0x55, 0x00, 4, ...text("evil")),
      Uint8Array.of(0x12, 0x20, ...leaf.cidBytes.subarray(4)),
      Uint8Array.of(1, 0x71, ...leaf.cidBytes.subarray(2)),
      Uint8Array.of(1, 0x55, 0x16, 0x20, ...leaf.cidBytes.subarray(4)),
      Uint8Array.of(1, 0x55, 0x12, 0x14, ...leaf.cidBytes.subarray(4, 24)),
    ];
    for (const cid of links) {
      const block = pbBlock([{ cid, name: "a", totalBytes: 4 }], DIRECTORY_DATA);
      assert.throws(
        () => decode(block),
        (error) => (error as VerisumError).code === "IPFS_DAG_INVALID",
      );
    }
  });

  it("throws coded errors only, on any corruption of a node's bytes", () => {
    const sound = pbBlock([link(leaf), link(leaf)], fileData([100, 100]));
    const cid = parseBlockCid(sound.cid);
    for (let at = 0; at < sound.bytes.length; at += 1) {
      for (const bytes of [
        ...[1, 2, 4, 8, 16, 32, 64, 128].map((bit) =>
          sound.bytes.map((byte, index) => (index === at ? byte ^ bit : byte)),
        ),
        sound.bytes.subarray(0, at),
      ]) {
        try {
          decodeNode(cid, bytes);
        } catch (error) {
          assert.ok(error instanceof VerisumError, `${at}: ${String(error)}`);
        }
      }
    }
  });
});
