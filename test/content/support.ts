import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CID } from "multiformats/cid";
import { createContentStore } from "../../content/store.ts";
import type { ContentStore, StoreOptions } from "../../content/store.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import { createRecorder } from "../support/round-recorder.ts";

/** Bytes of a 32-bit xorshift stream: no two MiB of it are alike, unlike bytes of a short period. */
export function seededBytes(seed: number, length: number): Uint8Array {
  let state = seed | 1;
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state & 255;
  }
  return bytes;
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Asserts that a promise rejects with a VerisumError of this code, and returns it. */
export async function rejectsWith(promise: Promise<unknown>, code: ErrorCode): Promise<Error> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(isVerisumError(outcome), `expected ${code}, got ${String(outcome)}`);
  assert.equal(outcome.code, code, outcome.message);
  return outcome;
}

export const bytesOf = async (response: Response): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await response.arrayBuffer());

/** All that a generator yields. */
export async function collect<Item>(source: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of source) items.push(item);
  return items;
}

/** Makes temporary folders and stores in them, and removes all at the end. */
export class Workbench {
  readonly #folders: string[] = [];
  readonly #closers: (() => Promise<unknown>)[] = [];

  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "verisum-ipfs-"));
    this.#folders.push(folder);
    return folder;
  }

  async store(options: Partial<StoreOptions> = {}): Promise<ContentStore> {
    const directory = options.directory ?? (await this.folder());
    return createContentStore({ peers: () => [], reporter: createRecorder(), ...options, directory });
  }

  onClose(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  async clear(): Promise<void> {
    for (const close of this.#closers.splice(0)) await close();
    for (const folder of this.#folders.splice(0)) await rm(folder, { recursive: true, force: true });
  }
}

/** Where a store keeps a block: worked out here from the multihash, apart from the code under test. */
export function blockPath(directory: string, cid: string): string {
  const name = `B${base32(CID.parse(cid).multihash.bytes)}`.toUpperCase();
  return join(directory, "blocks", name.slice(-2), `${name}.data`);
}

// What follows encodes CIDs and dag-pb by hand, from the specifications, with none of the libraries under test.

const sha256 = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();

export function base32(bytes: Uint8Array): string {
  const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return (bits.match(/.{1,5}/g) ?? []).map((group) => alphabet[Number.parseInt(group.padEnd(5, "0"), 2)]).join("");
}

/** Version 1, codec, sha2-256 (0x12), 32 bytes (0x20), digest. */
export function cidBytes(codec: number, block: Uint8Array): Uint8Array {
  return Uint8Array.of(1, codec, 0x12, 0x20, ...sha256(block));
}

export const cidText = (bytes: Uint8Array): string => `b${base32(bytes)}`;

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

/** A protobuf field of bytes: key, length, bytes. */
export function bytesField(field: number, bytes: Iterable<number>): number[] {
  const list = [...bytes];
  return [field * 8 + 2, ...varint(list.length), ...list];
}

export const intField = (field: number, value: number): number[] => [field * 8, ...varint(value)];

export interface HandLink {
  readonly cid: Uint8Array;
  readonly name: string;
  readonly totalBytes: number;
}

/** A dag-pb block: links first, then data. */
function dagPbBlock(links: readonly HandLink[], data: readonly number[]): Uint8Array {
  const encoded = links.map((link) =>
    bytesField(2, [...bytesField(1, link.cid), ...bytesField(2, text(link.name)), ...intField(3, link.totalBytes)]),
  );
  return Uint8Array.from([...encoded.flat(), ...bytesField(1, data)]);
}

export const DIRECTORY_DATA = [0x08, 0x01];

/** UnixFS data of a file node: type 2, size, the size of each part. */
export function fileData(partBytes: readonly number[], claimedBytes = partBytes.reduce((a, b) => a + b, 0)): number[] {
  return [...intField(1, 2), ...intField(3, claimedBytes), ...partBytes.flatMap((size) => intField(4, size))];
}

/** A block by hand, with its CID. */
export interface HandBlock {
  readonly cid: string;
  readonly cidBytes: Uint8Array;
  readonly bytes: Uint8Array;
}

export function rawBlock(bytes: Uint8Array): HandBlock {
  const id = cidBytes(0x55, bytes);
  return { cid: cidText(id), cidBytes: id, bytes };
}

export function pbBlock(links: readonly HandLink[], data: readonly number[]): HandBlock {
  const bytes = dagPbBlock(links, data);
  const id = cidBytes(0x70, bytes);
  return { cid: cidText(id), cidBytes: id, bytes };
}

/** A directory by hand around one child. */
export function directoryOf(name: string, child: HandBlock, totalBytes = child.bytes.length): HandBlock {
  return pbBlock([{ cid: child.cidBytes, name, totalBytes }], DIRECTORY_DATA);
}

/** A CARv1 by hand: dag-cbor header {roots: [root], version: 1}, then frames. */
export function handCar(root: Uint8Array, blocks: readonly HandBlock[]): Uint8Array {
  const link = [0xd8, 0x2a, 0x58, root.length + 1, 0x00, ...root]; // tag 42, byte string, multibase identity prefix
  const header = [0xa2, 0x65, ...text("roots"), 0x81, ...link, 0x67, ...text("version"), 0x01];
  const frames = blocks.map((block) => {
    const length = varint(block.cidBytes.length + block.bytes.length);
    return Buffer.concat([Uint8Array.from(length), block.cidBytes, block.bytes]);
  });
  return Buffer.concat([Uint8Array.from([...varint(header.length), ...header]), ...frames]);
}

/** A `fetch` that answers for named peers from maps of CID to bytes, and records what was asked. */
export function fakePeers(
  peers: Readonly<Record<string, ReadonlyMap<string, Uint8Array> | ((cid: string) => Response | Promise<Response>)>>,
): {
  fetch: typeof globalThis.fetch;
  asked: string[];
} {
  const asked: string[] = [];
  const fetch = async (input: string | URL | Request): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input);
    const cid = url.pathname.split("/").at(-1) ?? "";
    asked.push(`${url.origin} ${cid}`);
    const peer = peers[url.origin];
    if (peer === undefined) throw new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
    if (typeof peer === "function") return peer(cid);
    const bytes = peer.get(cid);
    return bytes === undefined ? new Response("no", { status: 404 }) : new Response(Buffer.from(bytes));
  };
  return { fetch, asked };
}

/** All blocks of a CAR made by the code under test, by CID: enough framing to take it apart again. */
export function blocksOfCar(car: Uint8Array): Map<string, Uint8Array> {
  const blocks = new Map<string, Uint8Array>();
  let offset = 0;
  const readVarint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = car[offset] ?? assert.fail("the CAR file ends early");
      offset += 1;
      value += (byte % 128) * shift;
      if (byte < 128) return value;
    }
  };
  const headerBytes = readVarint();
  offset += headerBytes;
  while (offset < car.length) {
    const end = readVarint() + offset;
    blocks.set(cidText(car.subarray(offset, offset + 36)), car.slice(offset + 36, end));
    offset = end;
  }
  return blocks;
}
