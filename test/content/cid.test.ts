import assert from "node:assert/strict";
import { describe, it } from "mocha";
import fc from "fast-check";
import { base36 } from "multiformats/bases/base36";
import { base58btc } from "multiformats/bases/base58";
import { CID } from "multiformats/cid";
import { cidFromDigest, digestHexOfCid, digestOfCid, parseBlockCid } from "../../content/cid.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { base32, cidText } from "./support.ts";

const DIGEST = Uint8Array.from({ length: 32 }, (_, index) => index * 7);
const throwsCode = (run: () => unknown, code: ErrorCode): void => {
  assert.throws(run, (error) => isVerisumError(error, code));
};
const cidOf = (version: number, codec: number[], hash: number[], digest: Uint8Array): string =>
  cidText(Uint8Array.of(version, ...codec, ...hash, digest.length, ...digest));

describe("ipfs CIDs and digests", () => {
  it("turns any digest into a directory CID and back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (digest) => {
        const cid = cidFromDigest(digest);
        assert.equal(cid, cidOf(1, [0x70], [0x12], digest));
        assert.ok(cid.startsWith("bafybei"));
        assert.deepEqual(digestOfCid(cid), digest);
        assert.equal(cidFromDigest(digestHexOfCid(cid)), cid);
      }),
      { seed: 1 },
    );
  });

  it("takes hexadecimal digests with and without 0x, in either case", () => {
    const hex = Buffer.from(DIGEST).toString("hex");
    for (const form of [hex, `0x${hex}`, hex.toUpperCase()]) assert.equal(cidFromDigest(form), cidFromDigest(DIGEST));
  });

  it("rejects digests of another length and text that is not hexadecimal", () => {
    for (const bad of ["", "0x", "zz".repeat(32), `0x${"00".repeat(31)}`, "00".repeat(33), new Uint8Array(31)]) {
      throwsCode(() => cidFromDigest(bad), "IPFS_DIGEST_INVALID");
    }
  });

  it("returns a copy of the digest", () => {
    const cid = cidFromDigest(DIGEST);
    digestOfCid(cid).fill(0);
    assert.deepEqual(digestOfCid(cid), DIGEST);
  });

  it("rejects every other version, codec, hash and text form", () => {
    const other = {
      raw: cidOf(1, [0x55], [0x12], DIGEST),
      dagCbor: cidOf(1, [0x71], [0x12], DIGEST),
      libp2pKey: cidOf(1, [0x72], [0x12], DIGEST),
      sha512: cidOf(1, [0x70], [0x13], new Uint8Array(64)),
      truncatedHash: cidOf(1, [0x70], [0x12], new Uint8Array(20)),
      blake3: cidOf(1, [0x70], [0x1e], DIGEST),
      identity: cidOf(1, [0x70], [0x00], DIGEST),
      probe: "bafkqaaa",
      versionZero: "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn",
      versionTwo: cidOf(2, [0x70], [0x12], DIGEST),
      upperCase: `B${base32(Uint8Array.of(1, 0x70, 0x12, 0x20, ...DIGEST)).toUpperCase()}`,
      base36: CID.parse(cidFromDigest(DIGEST)).toString(base36),
      base58: CID.parse(cidFromDigest(DIGEST)).toString(base58btc),
      hexadecimal: `f01701220${Buffer.from(DIGEST).toString("hex")}`,
      path: `/ipfs/${cidFromDigest(DIGEST)}`,
      space: ` ${cidFromDigest(DIGEST)}`,
      long: "b".repeat(1_000_000),
      empty: "",
    };
    for (const [name, cid] of Object.entries(other)) {
      assert.throws(
        () => digestOfCid(cid),
        (error) => isVerisumError(error, "IPFS_CID_INVALID"),
        name,
      );
      if (name !== "raw") throwsCode(() => parseBlockCid(cid), "IPFS_CID_INVALID");
    }
    assert.equal(parseBlockCid(other.raw).toString(), other.raw);
  });

  it("rejects a CID with any one character changed in its prefix, and never two texts for one CID", () => {
    const cid = cidFromDigest(DIGEST);
    for (let index = 0; index < 7; index += 1) {
      const changed = `${cid.slice(0, index)}${cid[index] === "z" ? "y" : "z"}${cid.slice(index + 1)}`;
      throwsCode(() => digestOfCid(changed), "IPFS_CID_INVALID");
    }
    // 36 bytes leave two unused bits in the last character; only zero is canonical.
    const last = "abcdefghijklmnopqrstuvwxyz234567".indexOf(cid.at(-1) ?? "");
    for (let extra = 1; extra < 4; extra += 1) {
      const twin = `${cid.slice(0, -1)}${"abcdefghijklmnopqrstuvwxyz234567"[(last & ~3) | extra]}`;
      throwsCode(() => digestOfCid(twin), "IPFS_CID_INVALID");
    }
  });
});
