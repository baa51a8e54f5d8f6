/** What follows from the recorded chain and content of the published vector, value by value. For tests only. */
import { intakeRecordOf } from "../../chain/codec.ts";
import { statementDigest } from "../../chain/statement-signatures.ts";
import type { RoundRecords, SignedResult } from "../../chain/task-chain.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { openShare, shareFileName } from "../../protocol/bundle.ts";
import type { RoundKeyPair } from "../../protocol/bundle.ts";
import { bitIndexes } from "../../protocol/committee.ts";
import { chunkBound, submissionEvaluation } from "../../protocol/submission.ts";
import { expectedShareEvaluation, shareHash } from "../../protocol/sharing.ts";
import { evaluatePolynomial } from "../../protocol/field.ts";
import {
  challengeOf,
  challengePoints,
  extendIntake,
  recordHashOf,
  toHex,
  wiresDigest,
  ZERO_WORD,
} from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { unpackSum } from "../../protocol/packing.ts";
import { decodeVerificationKeys } from "../../protocol/verification-key.ts";
import { loadModelState } from "../../task/checkpoint.ts";
import { pointOf } from "../../task/challenge.ts";
import type { OpenTask } from "../../task/opened-task.ts";
import { AGGREGATE_FILE, fetchElements } from "../../task/outcome.ts";

const WORD_CHARACTERS = 64;

/** What tests ask of them; all else is for whoever looks for where a difference begins. */
export interface VectorValues {
  readonly rounds: readonly {
    readonly settlement: { readonly included: readonly number[] };
    readonly result: { readonly modelDigest: string };
    readonly firstSums: readonly number[];
    readonly sumOfSums: number;
  }[];
  readonly shares: readonly { readonly seat: number; readonly secretKey: Hex; readonly publicKey: Hex }[];
  readonly parameters: { readonly genesisDigest: string };
}

/** @param keys of the first of the rounds, by seat */
export async function vectorValues(
  task: OpenTask,
  rounds: readonly bigint[],
  keys: ReadonlyMap<number, RoundKeyPair>,
): Promise<VectorValues> {
  const { chain, parameters, parametersHash, layout } = task;
  const described = await Promise.all(rounds.map(async (round) => roundValues(task, await chain.records(round))));
  const { taskCid, genesisCid } = parameters;
  return json({
    context: chain.context,
    parameters,
    parametersHash,
    cids: { task: cidFromDigest(taskCid), genesis: cidFromDigest(genesisCid) },
    keys: decodeVerificationKeys(await chain.verificationKeys()),
    layout: {
      elementCount: layout.elementCount,
      chunks: layout.chunks.map(({ kind: { name }, ...chunk }) => ({ ...chunk, kind: name })),
    },
    rounds: described,
    shares: await shareValues(task, await chain.records(rounds[0]!), keys),
  });
}

async function roundValues(task: OpenTask, records: RoundRecords): Promise<object> {
  const { chain, layout, parameters } = task;
  const { opened, bases, submitted, settled, finalised, released } = records;
  const { round } = opened!;
  let intake = ZERO_WORD;
  const submissions = submitted.map((record) => {
    const { client, index, weight, submission } = record;
    const { sharesDigest } = intakeRecordOf(record);
    const { base, commitment, sharesCid, chunks, shareEvaluations } = submission;
    const baseModelDigest = bases.get(base)!;
    const challenge = challengeOf({
      ...{ ...chain.context, round, client, weight, baseModelDigest, base },
      ...{ commitment, sharesDigest, sharesCid },
      ...{ shareEvaluationCount: shareEvaluations.length, wireCommitments: chunks.map(({ d }) => d) },
    });
    const { alpha, z } = challengePoints(challenge);
    const recordHash = recordHashOf(round, intakeRecordOf(record));
    intake = extendIntake(intake, recordHash);
    const y = submissionEvaluation(
      layout,
      chunks.map((chunk) => chunk.y),
      z,
    );
    return {
      ...{ client, index, weight, base: Number(base), baseModelDigest },
      ...{ sharesCid: cidFromDigest(sharesCid), sharesDigest },
      ...{ wiresDigest: wiresDigest(chunks.map(({ d }) => d)), challenge, alpha, z, y },
      bounds: chunks.map((_, i) => chunkBound(i, chunks.length, parameters.normBoundSquared)),
      ...{ commitment, recordHash, intake },
    };
  });
  const signed: SignedResult = { ...finalised!.result, round, settlement: settled!.settlement };
  const elements = await fetchElements(task, signed.aggregateCid, AGGREGATE_FILE);
  const sums = [...unpackSum(layout, elements)];
  const model = await loadModelState(task, signed.modelCid, signed.modelDigest);
  return {
    round: Number(round),
    submissions,
    settlement: {
      ...{ included: bitIndexes(settled!.included), members: bitIndexes(settled!.members).map((bit) => bit + 1) },
      ...{ totalWeight: settled!.totalWeight, sum: settled!.sum, intake, settlement: settled!.settlement },
    },
    releases: released.map((release) => ({
      ...{ seat: release.seat, cid: cidFromDigest(release.releaseCid) },
      digest: statementDigest(chain.context, "Release", release),
    })),
    result: {
      ...{ ...finalised!.result, aggregate: cidFromDigest(signed.aggregateCid), model: cidFromDigest(signed.modelCid) },
      ...{
        digest: statementDigest(chain.context, "Result", signed),
        signers: finalised!.signers.map(({ seat }) => seat),
      },
      ...{ point: pointOf(task, signed), evaluation: finalised!.evaluation },
    },
    ...{ firstSums: sums.slice(0, 16), sumOfSums: sums.reduce((total, sum) => total + sum, 0) },
    firstWeights: [...model.weights.slice(0, 16)],
    firstKept: model.kept.map((vector) => [...vector.slice(0, 16)]),
  };
}

/** The first submission's shares, opened. */
async function shareValues(
  task: OpenTask,
  { opened, submitted }: RoundRecords,
  keys: ReadonlyMap<number, RoundKeyPair>,
): Promise<object[]> {
  const { layout, parameters, store, chain } = task;
  const { client, submission, weight } = submitted[0]!;
  const { round, baseModelDigest } = opened!;
  const { sharesDigest } = intakeRecordOf(submitted[0]!);
  const { commitment, chunks, shareEvaluations, sharesCid } = submission;
  const { z } = challengePoints(
    challengeOf({
      ...{ ...chain.context, round, client, weight, baseModelDigest, base: submission.base },
      ...{ commitment, sharesDigest, sharesCid },
      ...{ shareEvaluationCount: shareEvaluations.length, wireCommitments: chunks.map(({ d }) => d) },
    }),
  );
  const y = submissionEvaluation(
    layout,
    chunks.map((chunk) => chunk.y),
    z,
  );
  const values: object[] = [];
  for (const [seat, { secretKey, publicKey }] of keys) {
    const file = await store.getFile(cidFromDigest(sharesCid), shareFileName(seat), { maxBytes: 1 << 20 });
    const address = { ...chain.context, round, client, seat };
    const shape = { elementCount: layout.elementCount, threshold: parameters.threshold };
    const share = await openShare(file, { secretKey, publicKey }, address, shape);
    const evaluation = evaluatePolynomial(share, z);
    if (evaluation !== expectedShareEvaluation(seat, y, shareEvaluations)) throw new Error(`seat ${seat}'s share`);
    values.push({
      ...{ round: Number(round), client, seat, secretKey: toHex(secretKey), publicKey: toHex(publicKey) },
      ...{ cid: cidFromDigest(sharesCid), file: shareFileName(seat), shareHash: shareHash(share), evaluation },
      firstElements: share.slice(0, 2),
    });
  }
  return values;
}

/** Words as 0x and 64 digits, so that no reader of JSON rounds one; round numbers and bounds are small. */
function json(value: unknown): VectorValues {
  const text = JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? word(item) : item));
  return JSON.parse(text) as VectorValues;
}

function word(value: bigint): string {
  return `0x${value.toString(16).padStart(WORD_CHARACTERS, "0")}`;
}
