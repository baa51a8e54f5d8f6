import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import {
  bundleBytes,
  newRoundKeyPair,
  openShare,
  sealShare,
  sealedShareBytes,
  shareFileName,
} from "../../protocol/bundle.ts";
import type { RoundKeyPair, ShareAddress } from "../../protocol/bundle.ts";
import { randomElements } from "../../protocol/field.ts";
import { expandShareSeed, SHARE_SEED_BYTES } from "../../protocol/sharing.ts";
import { rejectsCode } from "../support/errors.ts";
import { seededRandom } from "../support/random.ts";

const random = seededRandom("bundle");
const share = randomElements(5, seededRandom("share"));
const shape = { elementCount: share.length, threshold: 3 };
const address: ShareAddress = {
  deployment: `0x${"11".repeat(32)}`,
  round: 2n,
  client: `0x${"22".repeat(20)}`,
  seat: 3,
};
let keys: RoundKeyPair;
let file: Uint8Array;

describe("a sealed share", () => {
  before(async () => {
    keys = await newRoundKeyPair(random);
    file = await sealShare(share, keys.publicKey, address, random);
  });

  it("opens for its member, round and client, and has the formula's size", async () => {
    assert.equal(keys.publicKey.length, 32);
    assert.equal(file.length, sealedShareBytes(3, shape));
    assert.equal(file.length, 32 + 5 * 32 + 16);
    assert.deepEqual(await openShare(file, keys, address, shape), share);
    assert.equal(shareFileName(3), "seat-3.bin");
  });

  it("differs every time, as the ephemeral key does", async () => {
    assert.notDeepEqual(await sealShare(share, keys.publicKey, address, random), file);
  });

  const elsewhere: Record<string, ShareAddress> = {
    deployment: { ...address, deployment: `0x${"12".repeat(32)}` },
    round: { ...address, round: 3n },
    client: { ...address, client: `0x${"23".repeat(20)}` },
    seat: { ...address, seat: 4 },
  };
  for (const [name, wrong] of Object.entries(elsewhere)) {
    it(`does not open for another ${name}`, () => rejectsCode(openShare(file, keys, wrong, shape), "SHARE_DECRYPTION"));
  }

  it("does not open with another key", async () =>
    rejectsCode(openShare(file, await newRoundKeyPair(random), address, shape), "SHARE_DECRYPTION"));

  it("does not open with any part changed", async () => {
    for (const at of [0, 31, 32, 100, file.length - 16, file.length - 1]) {
      const changed = file.slice();
      changed[at]! ^= 4;
      await rejectsCode(openShare(changed, keys, address, shape), "SHARE_DECRYPTION");
    }
  });

  it("is a seed for the seats below the threshold, and opens to the seed's share", async () => {
    const seed = random(SHARE_SEED_BYTES);
    const below = { ...address, seat: 2 };
    const sealed = await sealShare(seed, keys.publicKey, below, random);
    assert.equal(sealed.length, sealedShareBytes(2, shape));
    assert.equal(sealed.length, 32 + 32 + 16);
    assert.deepEqual(await openShare(sealed, keys, below, shape), expandShareSeed(seed, share.length));
    await rejectsCode(
      openShare(await sealShare(share, keys.publicKey, below, random), keys, below, shape),
      "ENCODING_LENGTH",
    );
    await rejectsCode(openShare(sealed, keys, below, { ...shape, threshold: 2 }), "ENCODING_LENGTH");
    await rejectsCode(
      openShare(await sealShare(seed, keys.publicKey, address, random), keys, address, shape),
      "ENCODING_LENGTH",
    );
  });

  it("adds up to the bundle's size over the committee", () => {
    assert.equal(bundleBytes(4, { elementCount: 100, threshold: 2 }), 80 + 3 * (3200 + 48));
    assert.ok(bundleBytes(4, shape) >= share.length * 32, "a share sum is no longer than a bundle");
  });

  it("is refused by size before it is decrypted", async () => {
    await rejectsCode(openShare(file.subarray(1), keys, address, shape), "ENCODING_LENGTH");
    await rejectsCode(openShare(Uint8Array.of(...file, 0), keys, address, shape), "ENCODING_LENGTH");
    await rejectsCode(openShare(file, keys, address, { ...shape, elementCount: 4 }), "ENCODING_LENGTH");
    await rejectsCode(openShare(new Uint8Array(0), keys, address, shape), "ENCODING_LENGTH");
  });

  it("is not made for a key that gives everybody the same secret", async () => {
    await rejectsCode(sealShare(share, new Uint8Array(32), address, random), "ROUND_KEY_INVALID");
    await rejectsCode(sealShare(share, new Uint8Array(31), address, random), "ROUND_KEY_INVALID");
  });
});
