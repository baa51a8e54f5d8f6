import assert from "node:assert/strict";
import { afterEach, describe, it } from "mocha";
import { decodeCar, encodeCar } from "../../content/car.ts";
import { parseBlockCid, parseDirectoryCid } from "../../content/cid.ts";
import { DEFAULT_DAG_LIMITS } from "../../content/dag.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import {
  blocksOfCar,
  directoryOf,
  handCar,
  pbBlock,
  rawBlock,
  rejectsWith,
  seededBytes,
  text,
  Workbench,
} from "./support.ts";
import type { HandBlock } from "./support.ts";

const bench = new Workbench();
const leaf = rawBlock(seededBytes(5, 300));
const root = directoryOf("model.json", leaf);
const sound = handCar(root.cidBytes, [root, leaf]);
const decode = (car: Uint8Array, cid = root.cid): Promise<unknown> =>
  decodeCar(car, parseDirectoryCid(cid), DEFAULT_DAG_LIMITS);

describe("ipfs CAR files", () => {
  afterEach(() => bench.clear());

  it("are encoded byte for byte as the specification says", () => {
    const blocks = [root, leaf].map(({ cid, bytes }) => ({ cid: parseBlockCid(cid), bytes }));
    assert.deepEqual(Buffer.from(encodeCar(parseDirectoryCid(root.cid), blocks)), Buffer.from(sound));
  });

  it("are read in any order of blocks, children first in the result", async () => {
    for (const car of [sound, handCar(root.cidBytes, [leaf, root]), handCar(root.cidBytes, [leaf, root, leaf])]) {
      const blocks = await decodeCar(car, parseDirectoryCid(root.cid), DEFAULT_DAG_LIMITS);
      assert.deepEqual(
        blocks.map(({ cid }) => cid.toString()),
        [leaf.cid, root.cid],
      );
    }
  });

  it("are refused with any single bit flipped", async function () {
    this.timeout(30_000);
    let accepted = 0;
    for (let position = 0; position < sound.length * 8; position += 1) {
      const car = Uint8Array.from(sound);
      car[position >> 3] = (car[position >> 3] ?? 0) ^ (1 << (position & 7));
      const outcome = await decode(car).then(
        () => "accepted",
        (error: unknown) => (isVerisumError(error) ? error.code : String(error)),
      );
      if (outcome === "accepted") accepted += 1;
      assert.match(outcome, /^IPFS_(CAR_INVALID|BLOCK_MISMATCH|CID_INVALID)$/, `bit ${position}: ${outcome}`);
    }
    assert.equal(accepted, 0);
  });

  it("are refused when cut at any length, or followed by anything", async () => {
    for (let length = 0; length < sound.length; length += 1)
      await rejectsWith(decode(sound.subarray(0, length)), "IPFS_CAR_INVALID");
    for (const tail of [[0], [1], [0xff], [0x80, 0x80], [...sound]]) {
      await rejectsWith(decode(Uint8Array.from([...sound, ...tail])), "IPFS_CAR_INVALID");
    }
  });

  it("are refused with blocks missing, extra blocks, another root, no root or two", async () => {
    const extra = rawBlock(text("extra"));
    await rejectsWith(decode(handCar(root.cidBytes, [root])), "IPFS_CAR_INVALID");
    await rejectsWith(decode(handCar(root.cidBytes, [leaf])), "IPFS_CAR_INVALID");
    await rejectsWith(decode(handCar(root.cidBytes, [])), "IPFS_CAR_INVALID");
    await rejectsWith(decode(handCar(root.cidBytes, [root, leaf, extra])), "IPFS_CAR_INVALID");
    await rejectsWith(decode(handCar(leaf.cidBytes, [root, leaf])), "IPFS_CAR_INVALID");
    await rejectsWith(decode(sound, directoryOf("b", leaf).cid), "IPFS_CAR_INVALID");
  });

  it("are refused as version 2 and as header bombs", async () => {
    const pragma = Uint8Array.from([0x0a, 0xa1, 0x67, ...text("version"), 0x02]);
    const fields = new DataView(new ArrayBuffer(40));
    fields.setBigUint64(16, 51n, true);
    fields.setBigUint64(24, BigInt(sound.length), true);
    await rejectsWith(decode(Buffer.concat([pragma, new Uint8Array(fields.buffer), sound])), "IPFS_CAR_INVALID");
    for (const bomb of [
      [0xff, 0xff, 0xff, 0xff, 0x7f],
      [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
      [0x09, 0x9b, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
      [...Array.from({ length: 5 }, () => 0x81), 0x01],
    ]) {
      await rejectsWith(decode(Uint8Array.from(bomb)), "IPFS_CAR_INVALID");
    }
    const nested = [0x90, 0x4e, ...Array.from({ length: 10_000 }, () => 0x81)];
    await rejectsWith(decode(Uint8Array.from(nested)), "IPFS_CAR_INVALID");
  });

  it("are refused when a block's bytes are another's, or over the block limit", async () => {
    const swapped: HandBlock = { ...leaf, bytes: text("other") };
    await rejectsWith(decode(handCar(root.cidBytes, [root, swapped])), "IPFS_BLOCK_MISMATCH");
    const large = rawBlock(new Uint8Array(2 ** 21 + 1));
    const holder = directoryOf("large", large);
    await rejectsWith(decode(handCar(holder.cidBytes, [holder, large]), holder.cid), "IPFS_LIMIT_EXCEEDED");
  });

  it("are refused with blocks of another version, codec or hash", async () => {
    for (const [at, byte] of [
      [1, 0x71],
      [2, 0x16],
    ] as const) {
      const strange = { ...leaf, cidBytes: leaf.cidBytes.map((own, i) => (i === at ? byte : own)) };
      await rejectsWith(decode(handCar(root.cidBytes, [root, strange])), "IPFS_CAR_INVALID");
    }
  });

  it("are refused beyond the limits on bytes and blocks", async () => {
    const cid = parseDirectoryCid(root.cid);
    await rejectsWith(decodeCar(sound, cid, { ...DEFAULT_DAG_LIMITS, maxBytes: 299 }), "IPFS_LIMIT_EXCEEDED");
    await rejectsWith(decodeCar(sound, cid, { ...DEFAULT_DAG_LIMITS, maxBlocks: 1 }), "IPFS_LIMIT_EXCEEDED");
    await rejectsWith(
      decodeCar(new Uint8Array(10_000), cid, { ...DEFAULT_DAG_LIMITS, maxBytes: 10, maxBlocks: 2 }),
      "IPFS_LIMIT_EXCEEDED",
    );
  });

  it("pass between stores whole, and nothing of a refused one is kept", async () => {
    const source = await bench.store();
    const cid = await source.putDirectory({ a: seededBytes(1, 2_500_000), b: text("b") });
    const car = await source.exportCar(cid);
    const target = await bench.store();
    for (const [blockCid] of blocksOfCar(car)) {
      const at = Buffer.from(car).lastIndexOf(Buffer.from(parseBlockCid(blockCid).bytes)) + 36;
      const damaged = Uint8Array.from(car);
      damaged[at] = (damaged[at] ?? 0) ^ 0x40;
      await rejectsWith(target.importCar(damaged, cid), "IPFS_BLOCK_MISMATCH");
    }
    for (const [blockCid] of blocksOfCar(car)) assert.equal(await target.getLocalBlock(blockCid), undefined);
    assert.deepEqual(await target.pins(), []);
    await target.importCar(car, cid);
    assert.equal(await target.has(cid), true);
    assert.deepEqual(Buffer.from(await target.exportCar(cid)), Buffer.from(car));
  });

  it("are refused as directories when the root is a file", async () => {
    const store = await bench.store();
    const part = rawBlock(text("part"));
    const top = pbBlock([{ cid: part.cidBytes, name: "", totalBytes: 4 }], [0x08, 2, 0x18, 4, 0x20, 4]);
    await rejectsWith(store.importCar(handCar(top.cidBytes, [top, part]), top.cid), "IPFS_DAG_INVALID");
    await rejectsWith(store.importCar(sound, leaf.cid), "IPFS_CID_INVALID");
  });
});
