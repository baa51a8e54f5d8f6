import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { AbiCoder, concat, id, keccak256, toBeHex, zeroPadValue } from "ethers";
import { FIELD_ORDER } from "../../protocol/parameters.ts";
import { G1_GENERATOR, G1_INFINITY, multiplyG1 } from "../../protocol/points.ts";
import type { G1 } from "../../protocol/points.ts";
import {
  challengeOf,
  challengePoints,
  deploymentOf,
  domainTag,
  extendIntake,
  fromHex,
  hashWords,
  recordHashOf,
  resultPoint,
  settlementOf,
  sharesDigest,
  toHex,
  ZERO_WORD,
} from "../../protocol/transcript.ts";
import type {
  ChallengeInput,
  DeploymentInput,
  Hex,
  IntakeRecord,
  ResultPointInput,
  SettlementInput,
} from "../../protocol/transcript.ts";
import { throwsCode } from "../support/errors.ts";
import { word } from "../support/random.ts";

const vectors = JSON.parse(readFileSync(new URL("../vectors/transcript.json", import.meta.url), "utf8")) as {
  readonly domainTags: readonly { label: string; tag: string }[];
  readonly sharesDigests: readonly { shareHashes: Hex[]; digest: Hex }[];
  readonly deployments: readonly { input: Record<string, never>; deployment: Hex }[];
  readonly challenges: readonly { input: Record<string, never>; challenge: Hex; alpha: string; z: string }[];
  readonly intakes: readonly { round: string; records: Record<string, never>[]; hashes: Hex[]; intake: Hex }[];
  readonly settlements: readonly { input: Record<string, never>; settlement: Hex }[];
  readonly resultPoints: readonly { input: Record<string, never>; point: string }[];
};

type Json = Record<string, unknown>;
const pointOf = (pair: unknown): G1 => ({ x: BigInt((pair as string[])[0]!), y: BigInt((pair as string[])[1]!) });
const contextOf = (input: Json): { deployment: Hex; round: bigint } => ({
  deployment: input["deployment"] as Hex,
  round: BigInt(input["round"] as string),
});

function challengeInput(input: Json): ChallengeInput {
  const points = (input["wireCommitments"] as unknown[]).map(pointOf);
  return {
    ...(input as unknown as ChallengeInput),
    ...contextOf(input),
    base: BigInt(input["base"] as string),
    commitment: pointOf(input["commitment"]),
    wireCommitments: points,
  };
}

function resultInput(input: Json): ResultPointInput {
  return {
    ...(input as unknown as ResultPointInput),
    ...contextOf(input),
  };
}

/** abi.encode of words by another library, as the contract writes it. */
function abiHash(words: readonly (bigint | number | string)[]): string {
  return keccak256(
    AbiCoder.defaultAbiCoder().encode(
      words.map(() => "uint256"),
      words.map((value) => BigInt(value)),
    ),
  );
}

const tag = (label: string): string => id(`verisum.v1.${label}`);

const base: ChallengeInput = {
  deployment: word("deployment"),
  round: 3n,
  client: `0x${"22".repeat(20)}`,
  weight: 2,
  baseModelDigest: word("base"),
  base: 2n,
  commitment: multiplyG1(G1_GENERATOR, 5n),
  sharesDigest: word("shares"),
  sharesCid: word("cid"),
  shareEvaluationCount: 1,
  wireCommitments: [multiplyG1(G1_GENERATOR, 6n), multiplyG1(G1_GENERATOR, 7n)],
};

const result: ResultPointInput = {
  deployment: word("deployment"),
  round: 3n,
  settlement: word("settlement"),
  aggregateDigest: word("aggregate"),
  modelDigest: word("model"),
};

const record: IntakeRecord = {
  client: `0x${"22".repeat(20)}`,
  weight: 2,
  commitment: multiplyG1(G1_GENERATOR, 5n),
  sharesDigest: word("shares"),
  sharesCid: word("cid"),
};

const settlement: SettlementInput = {
  round: 3n,
  intake: word("intake"),
  included: 0b1011n,
  totalWeight: 3,
  sum: multiplyG1(G1_GENERATOR, 8n),
};

/** The input with one bit of one word flipped. */
const nextWord = (hex: Hex): Hex => `0x${(BigInt(hex) ^ 1n).toString(16).padStart(hex.length - 2, "0")}`;
const nextPoint = (point: G1): G1 => ({ ...point, y: point.y + 1n });

describe("the golden transcript vectors", () => {
  it("hold for the domain tags, which differ from each other", () => {
    for (const { label, tag: expected } of vectors.domainTags) {
      assert.equal(domainTag(label), BigInt(expected));
      assert.equal(domainTag(label), BigInt(tag(label)));
    }
    assert.equal(new Set(vectors.domainTags.map(({ tag: value }) => value)).size, vectors.domainTags.length);
  });

  it("hold for the digest of share hashes", () => {
    for (const { shareHashes, digest } of vectors.sharesDigests) {
      assert.equal(sharesDigest(shareHashes), digest);
      assert.equal(keccak256(concat(shareHashes)), digest);
    }
  });

  it("hold for deployments, also by another ABI encoder, and change with every field", () => {
    for (const { input, deployment } of vectors.deployments) {
      const parsed: DeploymentInput = {
        ...(input as unknown as DeploymentInput),
        chainId: BigInt(input["chainId"]!),
      };
      const { chainId, contract, parametersHash, parentHash, prevRandao } = parsed;
      assert.equal(deploymentOf(parsed), deployment);
      assert.equal(abiHash([tag("deployment"), chainId, contract, parametersHash, parentHash, prevRandao]), deployment);
      assert.notEqual(deploymentOf({ ...parsed, chainId: chainId ^ 1n }), deployment);
      for (const field of ["contract", "parametersHash", "parentHash", "prevRandao"] as const)
        assert.notEqual(deploymentOf({ ...parsed, [field]: nextWord(parsed[field]) }), deployment, field);
    }
  });

  it("hold for challenges, also by another ABI encoder", () => {
    for (const { input, challenge, alpha, z } of vectors.challenges) {
      const parsed = challengeInput(input);
      assert.equal(challengeOf(parsed), challenge);
      assert.deepEqual(challengePoints(challenge), { alpha: BigInt(alpha), z: BigInt(z) });
      const wires = parsed.wireCommitments.reduce(
        (digest, { x, y }) => abiHash([digest, x, y]),
        `0x${"00".repeat(32)}`,
      );
      const words = [
        tag("challenge"),
        parsed.deployment,
        parsed.round,
        parsed.client,
        parsed.weight,
        parsed.baseModelDigest,
        parsed.base,
        parsed.commitment.x,
        parsed.commitment.y,
        parsed.sharesDigest,
        parsed.sharesCid,
        wires,
        parsed.shareEvaluationCount,
        parsed.wireCommitments.length,
      ];
      assert.equal(abiHash(words), challenge);
      assert.equal(BigInt(abiHash([tag("alpha"), challenge])) % FIELD_ORDER, BigInt(alpha));
      assert.equal(BigInt(abiHash([tag("z"), challenge])) % FIELD_ORDER, BigInt(z));
    }
  });

  it("hold for intakes, also by another ABI encoder", () => {
    for (const { round, records, hashes, intake } of vectors.intakes) {
      const number = BigInt(round);
      let running: string = ZERO_WORD;
      for (const [i, input] of records.entries()) {
        const parsed = { ...(input as unknown as IntakeRecord), commitment: pointOf(input["commitment"]) };
        const { client, weight, commitment, sharesCid } = parsed;
        const hash = abiHash([number, client, weight, commitment.x, commitment.y, parsed.sharesDigest, sharesCid]);
        assert.deepEqual([recordHashOf(number, parsed), hash], [hashes[i], hashes[i]]);
        running = abiHash([running, hash]);
      }
      assert.deepEqual([hashes.reduce(extendIntake, ZERO_WORD), running], [intake, intake]);
    }
  });

  it("hold for settlements, also by another ABI encoder", () => {
    for (const { input, settlement: expected } of vectors.settlements) {
      const [round, included] = [BigInt(input["round"]!), BigInt(input["included"]!)];
      const parsed: SettlementInput = {
        ...(input as unknown as SettlementInput),
        ...{ round, included, sum: pointOf(input["sum"]) },
      };
      const { intake, totalWeight, sum } = parsed;
      assert.equal(settlementOf(parsed), expected);
      assert.equal(abiHash([tag("settlement"), round, intake, included, totalWeight, sum.x, sum.y]), expected);
    }
  });

  it("hold for result points, also by another ABI encoder", () => {
    for (const { input, point } of vectors.resultPoints) {
      const parsed = resultInput(input);
      assert.equal(resultPoint(parsed), BigInt(point));
      const words = [
        tag("result"),
        parsed.deployment,
        parsed.round,
        parsed.settlement,
        parsed.aggregateDigest,
        parsed.modelDigest,
      ];
      assert.equal(BigInt(abiHash(words)) % FIELD_ORDER, BigInt(point));
    }
  });
});

describe("the challenge", () => {
  const mutations: Record<string, (input: ChallengeInput) => ChallengeInput> = {
    deployment: (input) => ({ ...input, deployment: nextWord(input.deployment) }),
    round: (input) => ({ ...input, round: input.round + 1n }),
    client: (input) => ({ ...input, client: nextWord(input.client) }),
    weight: (input) => ({ ...input, weight: input.weight + 1 }),
    baseModelDigest: (input) => ({ ...input, baseModelDigest: nextWord(input.baseModelDigest) }),
    base: (input) => ({ ...input, base: input.base + 1n }),
    "commitment.x": (input) => ({ ...input, commitment: { ...input.commitment, x: input.commitment.x + 1n } }),
    "commitment.y": (input) => ({ ...input, commitment: nextPoint(input.commitment) }),
    sharesDigest: (input) => ({ ...input, sharesDigest: nextWord(input.sharesDigest) }),
    sharesCid: (input) => ({ ...input, sharesCid: nextWord(input.sharesCid) }),
    shareEvaluationCount: (input) => ({ ...input, shareEvaluationCount: 2 }),
    "the first wire commitment": (input) => ({
      ...input,
      wireCommitments: [nextPoint(input.wireCommitments[0]!), input.wireCommitments[1]!],
    }),
    "the last wire commitment": (input) => ({
      ...input,
      wireCommitments: [input.wireCommitments[0]!, nextPoint(input.wireCommitments[1]!)],
    }),
    "the order of wire commitments": (input) => ({ ...input, wireCommitments: [...input.wireCommitments].reverse() }),
    "one wire commitment fewer": (input) => ({ ...input, wireCommitments: input.wireCommitments.slice(1) }),
    "one wire commitment more": (input) => ({ ...input, wireCommitments: [...input.wireCommitments, G1_INFINITY] }),
    "two equal fields exchanged": (input) => ({
      ...input,
      sharesDigest: input.sharesCid,
      sharesCid: input.sharesDigest,
    }),
  };

  for (const [name, mutate] of Object.entries(mutations)) {
    it(`changes with ${name}, and alpha and z with it`, () => {
      const [before, after] = [challengeOf(base), challengeOf(mutate(base))];
      assert.notEqual(before, after);
      assert.notEqual(challengePoints(before).alpha, challengePoints(after).alpha);
      assert.notEqual(challengePoints(before).z, challengePoints(after).z);
    });
  }

  it("has a mutation for every field of its input", () => {
    const covered = Object.keys(base).filter((field) =>
      Object.values(mutations).some(
        (mutate) => mutate(base)[field as keyof ChallengeInput] !== base[field as keyof ChallengeInput],
      ),
    );
    assert.deepEqual(covered.sort(), Object.keys(base).sort());
  });

  it("gives independent points below the field order", () => {
    for (let i = 0; i < 200; i++) {
      const { alpha, z } = challengePoints(word(`challenge ${i}`));
      assert.ok(alpha < FIELD_ORDER && z < FIELD_ORDER && alpha !== z);
    }
  });

  it("refuses a value that is no word, which would collide with another", () => {
    throwsCode(() => challengeOf({ ...base, round: base.round + 2n ** 256n }), "ENCODING_NOT_CANONICAL");
    throwsCode(() => challengeOf({ ...base, weight: -1 }), "ENCODING_NOT_CANONICAL");
    throwsCode(() => challengeOf({ ...base, client: `0x01${"00".repeat(32)}` }), "ENCODING_NOT_CANONICAL");
    throwsCode(() => hashWords([2n ** 256n]), "ENCODING_NOT_CANONICAL");
  });
});

describe("the result point", () => {
  const mutations: Record<keyof ResultPointInput, (input: ResultPointInput) => ResultPointInput> = {
    deployment: (input) => ({ ...input, deployment: nextWord(input.deployment) }),
    round: (input) => ({ ...input, round: input.round + 1n }),
    settlement: (input) => ({ ...input, settlement: nextWord(input.settlement) }),
    aggregateDigest: (input) => ({ ...input, aggregateDigest: nextWord(input.aggregateDigest) }),
    modelDigest: (input) => ({ ...input, modelDigest: nextWord(input.modelDigest) }),
  };
  for (const [name, mutate] of Object.entries(mutations)) {
    it(`changes with ${name}`, () => assert.notEqual(resultPoint(mutate(result)), resultPoint(result)));
  }
});

describe("the hash of a submission's record", () => {
  const mutations: Record<keyof IntakeRecord, IntakeRecord> = {
    client: { ...record, client: nextWord(record.client) },
    weight: { ...record, weight: 3 },
    commitment: { ...record, commitment: nextPoint(record.commitment) },
    sharesDigest: { ...record, sharesDigest: nextWord(record.sharesDigest) },
    sharesCid: { ...record, sharesCid: nextWord(record.sharesCid) },
  };
  for (const [name, changed] of Object.entries(mutations)) {
    it(`changes with ${name}`, () => assert.notEqual(recordHashOf(3n, changed), recordHashOf(3n, record)));
  }
  it("changes with the round", () => assert.notEqual(recordHashOf(4n, record), recordHashOf(3n, record)));
});

describe("the intake", () => {
  it("depends on what came, in which order, and how much", () => {
    const of = (...hashes: Hex[]): Hex => hashes.reduce(extendIntake, ZERO_WORD);
    const [a, b] = [word("a"), word("b")];
    assert.equal(new Set([of(), of(a), of(b), of(a, b), of(b, a), of(a, a), of(a, b, b)]).size, 7);
  });
});

describe("the settlement", () => {
  const mutations: Record<keyof SettlementInput, SettlementInput> = {
    round: { ...settlement, round: 4n },
    intake: { ...settlement, intake: nextWord(settlement.intake) },
    included: { ...settlement, included: settlement.included ^ 1n },
    totalWeight: { ...settlement, totalWeight: 4 },
    sum: { ...settlement, sum: nextPoint(settlement.sum) },
  };
  for (const [name, changed] of Object.entries(mutations)) {
    it(`changes with ${name}`, () => assert.notEqual(settlementOf(changed), settlementOf(settlement)));
  }
});

describe("hex and share digests", () => {
  it("round trips bytes", () => {
    assert.deepEqual(fromHex(toHex(Uint8Array.of(0, 1, 255))), Uint8Array.of(0, 1, 255));
    assert.equal(toHex(fromHex(zeroPadValue(toBeHex(7), 32) as Hex)), `0x${"00".repeat(31)}07`);
  });

  it("refuses a share hash that is not 32 bytes, so that no two lists concatenate alike", () => {
    throwsCode(() => sharesDigest([word("a"), `0x${"00".repeat(31)}`]), "ENCODING_LENGTH");
    throwsCode(() => sharesDigest([`0x${"00".repeat(33)}`]), "ENCODING_LENGTH");
    throwsCode(() => sharesDigest(["0x"]), "ENCODING_LENGTH");
  });

  it("depends on the order of the seats", () => {
    assert.notEqual(sharesDigest([word("a"), word("b")]), sharesDigest([word("b"), word("a")]));
  });
});
