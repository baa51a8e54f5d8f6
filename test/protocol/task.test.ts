import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { AbiCoder, keccak256 } from "ethers";
import { HASHED_FIELDS } from "../../chain/codec.ts";
import { MAX_COHORT, MAX_COMMITTEE, PRESETS } from "../../protocol/parameters.ts";
import {
  assertTaskParameters,
  layoutOfTask,
  parametersHash,
  presetOf,
  smallestInclusion,
} from "../../protocol/task.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import { throwsCode } from "../support/errors.ts";

/** The contract's struct, field by field in its order. */
const STRUCT = `tuple(${HASHED_FIELDS.map(({ name, type }) => `${type} ${name}`).join(", ")})`;

const BIGINT_FIELDS = ["normBoundSquared", "bondWei", "privacyCostPerRound", "privacyBudget"];

const vectors = (
  JSON.parse(readFileSync(new URL("../vectors/transcript.json", import.meta.url), "utf8")) as {
    parameters: { input: Record<string, unknown>; hash: string }[];
  }
).parameters.map(({ input, hash }) => ({
  hash,
  input: Object.fromEntries(
    Object.entries(input).map(([key, value]) => [key, BIGINT_FIELDS.includes(key) ? BigInt(value as string) : value]),
  ) as unknown as TaskParameters,
}));
const base = vectors[0]!.input;

describe("parametersHash", () => {
  it("is keccak-256 of the contract's ABI encoding, for the golden vectors", () => {
    for (const { input, hash } of vectors) {
      assert.equal(parametersHash(input), hash);
      assert.equal(
        keccak256(
          AbiCoder.defaultAbiCoder().encode([STRUCT], [{ ...input, chunkKinds: Uint8Array.from(input.chunkKinds) }]),
        ),
        hash,
      );
    }
  });

  it("changes with every field", () => {
    const hashes = new Set([parametersHash(base)]);
    for (const [field, value] of Object.entries(base)) {
      const changed =
        typeof value === "boolean"
          ? !value
          : typeof value === "bigint"
            ? value + 1n
            : typeof value === "number"
              ? value + 1
              : Array.isArray(value)
                ? [...value, 0]
                : `0x${"ab".repeat(32)}`;
      hashes.add(parametersHash({ ...base, [field]: changed }));
    }
    assert.equal(hashes.size, Object.keys(base).length + 1);
  });
});

describe("a task's layout", () => {
  it("is that of the preset with its width and of the kinds that it lists", () => {
    assert.equal(presetOf(base), PRESETS.tiny);
    assert.equal(presetOf({ ...base, coordinateBits: 12 }), PRESETS.standard);
    const layout = layoutOfTask(base);
    assert.deepEqual(
      layout.chunks.map(({ kindIndex }) => kindIndex),
      base.chunkKinds,
    );
    assert.equal(layout.dimension, base.dimension);
  });

  it("refuses a width without a preset", () =>
    throwsCode(() => presetOf({ ...base, coordinateBits: 9 }), "PARAMETERS_INVALID"));
});

describe("assertTaskParameters", () => {
  it("accepts the golden parameters, which are at its limits", () => {
    for (const { input } of vectors) assertTaskParameters(input);
    assert.equal(vectors[1]!.input.committeeSize, MAX_COMMITTEE);
  });

  it("accepts a committee, a cohort and a bound exactly at their limits", () => {
    assertTaskParameters({ ...base, committeeSize: 4, threshold: 2, quorum: 3 });
    assertTaskParameters({ ...base, committeeSize: 7, threshold: 3, quorum: 5 });
    assertTaskParameters({ ...base, minClients: MAX_COHORT });
    assertTaskParameters({ ...base, minHonest: 2, maxCorrupt: 0, minClients: 2 });
    assertTaskParameters({ ...base, normBoundSquared: 1n });
    assertTaskParameters({ ...base, normBoundSquared: 2n ** 48n - 1n });
  });

  const refused: Record<string, Partial<TaskParameters>> = {
    "a single honest client": { minHonest: 1, minClients: 2 },
    "fewer clients than the honest and the corrupt ones": { minClients: 2 },
    "more clients than a bitmap holds": { minClients: MAX_COHORT + 1 },
    "a threshold of one": { threshold: 1, quorum: 1 },
    "a quorum without t honest members": { quorum: 2 },
    "a committee smaller than its quorum": { committeeSize: 2 },
    "a committee that t - 1 silent members stop": { committeeSize: 4, quorum: 4 },
    "3t - 3 members": { threshold: 3, quorum: 5, committeeSize: 6 },
    "more members than a word holds": { committeeSize: MAX_COMMITTEE + 1 },
    "no norm bound": { normBoundSquared: 0n },
    "a norm bound that the accumulator cannot hold": { normBoundSquared: 2n ** 48n },
    "a width without a preset": { coordinateBits: 9 },
    "chunks that do not cover the model": { dimension: 10_000 },
    "no model": { dimension: 0, chunkKinds: [] },
    "a fractional count": { maxCorrupt: 0.5 },
    "a negative count": { maxCorrupt: -1 },
    "a count that is not a number": { quorum: NaN },
  };
  for (const [name, changes] of Object.entries(refused)) {
    it(`refuses ${name}`, () => throwsCode(() => assertTaskParameters({ ...base, ...changes }), "PARAMETERS_INVALID"));
  }
});

describe("the smallest set a round may settle on", () => {
  it("leaves out at most f clients and never goes below the minimum", () => {
    const p = { minClients: 5, maxCorrupt: 2 };
    assert.equal(smallestInclusion(p, 20), 18);
    assert.equal(smallestInclusion(p, 7), 5);
    assert.equal(smallestInclusion(p, 5), 5);
  });
});
