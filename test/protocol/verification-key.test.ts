import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { keccak256 } from "ethers";
import { PRESETS } from "../../protocol/parameters.ts";
import { G1_GENERATOR, G2_GENERATOR, multiplyG1, multiplyG2, negateG2 } from "../../protocol/points.ts";
import { fromHex, toHex } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import {
  decodeVerificationKeys,
  encodeVerificationKeys,
  g2Words,
  hashVerificationKeys,
} from "../../protocol/verification-key.ts";
import type { VerificationKeys } from "../../protocol/verification-key.ts";
import { throwsCode } from "../support/errors.ts";

function keysWith(kinds: number, publicBases = 7): VerificationKeys {
  return {
    alpha: multiplyG1(G1_GENERATOR, 2n),
    beta: multiplyG2(G2_GENERATOR, 3n),
    tau: multiplyG2(G2_GENERATOR, 4n),
    kinds: Array.from({ length: kinds }, (_, k) => ({
      delta: multiplyG2(G2_GENERATOR, BigInt(5 + k)),
      sigma: multiplyG2(G2_GENERATOR, BigInt(50 + k)),
      publicBases: Array.from({ length: publicBases }, (_, i) => multiplyG1(G1_GENERATOR, BigInt(100 * k + i + 1))),
    })),
  };
}

const kinds = PRESETS.tiny.kinds.length;

describe("the encoding of verification keys", () => {
  it("has alpha, -beta, tau, then -delta, -sigma and seven bases for each kind, imaginary parts first", () => {
    const keys = keysWith(1);
    const bytes = encodeVerificationKeys(keys);
    const words = Array.from({ length: bytes.length / 32 }, (_, i) =>
      BigInt(toHex(bytes.subarray(32 * i, 32 * i + 32))),
    );
    assert.deepEqual(words, [
      keys.alpha.x,
      keys.alpha.y,
      ...g2Words(negateG2(keys.beta)),
      ...g2Words(keys.tau),
      ...g2Words(negateG2(keys.kinds[0]!.delta)),
      ...g2Words(negateG2(keys.kinds[0]!.sigma)),
      ...keys.kinds[0]!.publicBases.flatMap(({ x, y }) => [x, y]),
    ]);
    assert.deepEqual(g2Words(keys.tau), [keys.tau.x.c1, keys.tau.x.c0, keys.tau.y.c1, keys.tau.y.c0]);
  });

  it("round trips", () => {
    const keys = keysWith(kinds);
    assert.deepEqual(decodeVerificationKeys(encodeVerificationKeys(keys)), keys);
  });

  it("refuses truncated and trailing bytes, and points of no group", () => {
    const bytes = encodeVerificationKeys(keysWith(kinds));
    throwsCode(() => decodeVerificationKeys(bytes.subarray(32)), "ENCODING_LENGTH");
    throwsCode(() => decodeVerificationKeys(Uint8Array.of(...bytes, 0)), "ENCODING_LENGTH");
    throwsCode(() => decodeVerificationKeys(bytes.subarray(0, 10 * 32)), "ENCODING_LENGTH");
    throwsCode(() => decodeVerificationKeys(new Uint8Array(0)), "ENCODING_LENGTH");
    const flipped = bytes.slice();
    flipped[3 * 32 - 1]! ^= 1;
    throwsCode(() => decodeVerificationKeys(flipped), "POINT_NOT_ON_CURVE");
  });

  it("refuses every wrong G1 and G2 point, tau included", () => {
    const bytes = encodeVerificationKeys(keysWith(kinds));
    for (const wordIndex of [0, 2, 6, 10, 14, 18, 31]) {
      const flipped = bytes.slice();
      flipped[(wordIndex + 1) * 32 - 1]! ^= 1;
      throwsCode(() => decodeVerificationKeys(flipped), "POINT_NOT_ON_CURVE");
    }
  });

  it("refuses a kind that has not seven bases, whose words would read as another kind's", () => {
    throwsCode(() => encodeVerificationKeys(keysWith(1, 6)), "ENCODING_LENGTH");
    throwsCode(() => encodeVerificationKeys(keysWith(1, 18)), "ENCODING_LENGTH");
  });

  it("hashes to the golden values", () => {
    const { verificationKeys } = JSON.parse(
      readFileSync(new URL("../vectors/transcript.json", import.meta.url), "utf8"),
    ) as { verificationKeys: { kinds: number; encoded: Hex; hash: Hex }[] };
    for (const vector of verificationKeys) {
      assert.equal(keccak256(vector.encoded), vector.hash);
      assert.equal(fromHex(vector.encoded).length, 32 * (10 + 22 * vector.kinds));
      assert.equal(toHex(hashVerificationKeys(decodeVerificationKeys(fromHex(vector.encoded)))), vector.hash);
    }
  });
});
