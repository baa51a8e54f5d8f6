import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import fc from "fast-check";
import { concat, id, keccak256, sha256, toBeHex, zeroPadValue } from "ethers";
import { DIGEST_LEAF_BYTES, FIELD_ORDER } from "../../protocol/parameters.ts";
import {
  aggregateDigest,
  decodeModelState,
  encodeModelState,
  floatWeights,
  modelDigest,
} from "../../protocol/model.ts";
import { leafDigest } from "../../protocol/transcript.ts";
import { initialState } from "../../protocol/next-model.ts";
import type { ServerSettings } from "../../protocol/server-rules/registry.ts";
import type { ModelState } from "../../protocol/model.ts";
import type { DyadicRational } from "../../protocol/integers.ts";
import { throwsCode } from "../support/errors.ts";
import { check } from "../support/properties.ts";
import { seededRandom } from "../support/random.ts";

const ONE: DyadicRational = { numerator: 1, denominatorBits: 0 };
const server: ServerSettings = { fractionalBits: 16, learningRate: ONE, momentum: ONE };

function state(weights: readonly number[], velocity: readonly number[] = weights.map(() => 0)): ModelState {
  return { weights: Int32Array.from(weights), kept: [Int32Array.from(velocity)] };
}

describe("the model's state", () => {
  it("derives floats that give the same integers again", () => {
    check(fc.array(fc.integer({ min: -(2 ** 23), max: 2 ** 23 }), { maxLength: 20 }), (weights) => {
      assert.deepEqual(initialState(floatWeights(state(weights), 16), server).weights, Int32Array.from(weights));
    });
  });

  it("is written as little-endian weights, then velocity, and read back", () => {
    const bytes = encodeModelState(state([1, -2], [3, -4]));
    assert.deepEqual([...bytes], [1, 0, 0, 0, 254, 255, 255, 255, 3, 0, 0, 0, 252, 255, 255, 255]);
    assert.deepEqual(decodeModelState(bytes, 2, 1), state([1, -2], [3, -4]));
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    assert.deepEqual(decodeModelState(shifted.subarray(1), 2, 1), state([1, -2], [3, -4]));
  });

  it("holds as many vectors beside the weights as the rule keeps", () => {
    for (const kept of [[], [Int32Array.of(3, -4)], [Int32Array.of(3, -4), Int32Array.of(-5, 6)]]) {
      const full: ModelState = { weights: Int32Array.of(1, -2), kept };
      assert.deepEqual(decodeModelState(encodeModelState(full), 2, kept.length), full);
      throwsCode(() => decodeModelState(encodeModelState(full), 2, kept.length + 1), "ENCODING_LENGTH");
    }
  });

  it("refuses truncated and trailing bytes", () => {
    const bytes = encodeModelState(state([1, 2]));
    throwsCode(() => decodeModelState(bytes.subarray(1), 2, 1), "ENCODING_LENGTH");
    throwsCode(() => decodeModelState(Uint8Array.of(...bytes, 0), 2, 1), "ENCODING_LENGTH");
    throwsCode(() => decodeModelState(bytes, 1, 1), "ENCODING_LENGTH");
  });
});

describe("digests over leaves", () => {
  it("equal keccak over the tag, the length and each leaf's sha-256, by another library", () => {
    for (const length of [
      0,
      1,
      DIGEST_LEAF_BYTES - 1,
      DIGEST_LEAF_BYTES,
      DIGEST_LEAF_BYTES + 1,
      3 * DIGEST_LEAF_BYTES,
    ]) {
      const bytes = seededRandom("leaves")(length);
      const leaves = Array.from({ length: Math.ceil(length / DIGEST_LEAF_BYTES) }, (_, i) =>
        sha256(bytes.subarray(i * DIGEST_LEAF_BYTES, (i + 1) * DIGEST_LEAF_BYTES)),
      );
      assert.equal(
        leafDigest("model", bytes),
        keccak256(concat([id("verisum.v1.model"), zeroPadValue(toBeHex(length), 32), ...leaves])),
      );
    }
  });

  it("differ between a model and an aggregate of the same bytes, and with any byte or length", () => {
    const bytes = new Uint8Array(DIGEST_LEAF_BYTES + 5);
    const digest = leafDigest("model", bytes);
    assert.notEqual(leafDigest("aggregate", bytes), digest);
    assert.notEqual(leafDigest("share", bytes), digest);
    assert.notEqual(leafDigest("model", bytes.subarray(1)), digest);
    for (const at of [0, DIGEST_LEAF_BYTES - 1, DIGEST_LEAF_BYTES, DIGEST_LEAF_BYTES + 4]) {
      const flipped = bytes.slice();
      flipped[at] = 1;
      assert.notEqual(leafDigest("model", flipped), digest);
    }
  });

  it("hold for the golden vectors", () => {
    const { digests } = JSON.parse(readFileSync(new URL("../vectors/transcript.json", import.meta.url), "utf8")) as {
      digests: { kind: string; count: number; digest: string }[];
    };
    assert.equal(digests.length, 6);
    for (const { kind, count, digest } of digests) {
      const indexes = Array.from({ length: count }, (_, i) => i);
      if (kind === "model")
        assert.equal(
          modelDigest(
            state(
              indexes.map((i) => i * (-1) ** i),
              indexes.map((i) => 3 * i - count),
            ),
          ),
          digest,
        );
      else
        assert.equal(aggregateDigest(indexes.map((i) => (i % 2 === 0 ? BigInt(i) : FIELD_ORDER - BigInt(i)))), digest);
    }
  });

  it("cover the velocity as well as the weights", () => {
    assert.notEqual(modelDigest(state([1], [2])), modelDigest(state([1], [3])));
    assert.notEqual(modelDigest(state([1], [2])), modelDigest(state([2], [2])));
  });
});
