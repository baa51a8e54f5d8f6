/**
 * How updates enter a round: contracts/Submissions.sol in TypeScript, except that proofs and openings are not verified.
 * Their form is: canonical scalars, no point at infinity where the contract refuses one.
 */
import { decodeSubmission, intakeRecordOf } from "../../../chain/codec.ts";
import type * as Solidity from "../../../chain/generated/verisum.ts";
import { checkSubmissionSignature } from "../../../chain/submission-signature.ts";
import { isVerisumError } from "../../../protocol/errors.ts";
import { power, toField } from "../../../protocol/field.ts";
import { FIRST_ACCUMULATOR_HASH } from "../../../protocol/groth16.ts";
import { FIELD_ORDER, MAX_COHORT, MAX_TOTAL_WEIGHT } from "../../../protocol/parameters.ts";
import { addG1, isInfinity, multiplyG1 } from "../../../protocol/points.ts";
import type { G1 } from "../../../protocol/points.ts";
import { layoutOfTask } from "../../../protocol/task.ts";
import {
  challengeOfHead,
  challengePoints,
  extendIntake,
  hashWords,
  recordHashOf,
  sharesDigest,
  ZERO_WORD,
} from "../../../protocol/transcript.ts";
import type { Hex } from "../../../protocol/transcript.ts";
import { isUsedUp } from "./registration.ts";
import { activeHeader, hashOf, label, requireLength, revert } from "./state.ts";
import type { Call, Calls } from "./state.ts";

export const submissions: Calls<"submit" | "submitBatch" | "proveChunks" | "finishSubmission"> = {
  submit(call, round, submission) {
    activeHeader(call, round, "Collecting");
    requireFirst(call, round, call.sender);
    const wrong = wrongLength(call, submission, call.state.parameters.chunkKinds.length);
    if (wrong !== undefined) requireLength(...wrong);
    take(call, call.sender, submission);
    submission.chunks.forEach(checkForm);
    endIfComplete(call);
  },

  submitBatch(call, round, signed) {
    const { state } = call;
    activeHeader(call, round, "Collecting");
    const taken: Solidity.Submission[] = [];
    for (const [i, item] of signed.entries()) {
      const wrong = wrongLength(call, item.submission, state.parameters.chunkKinds.length);
      if (wrong !== undefined) revert("VerisumBatchItemInvalid", { index: BigInt(i), field: label(wrong[0]) });
      if (state.clients.get(item.client)?.lastSubmittedRound === round) continue;
      if (!isSigned(call, round, item))
        revert("VerisumBatchItemInvalid", { index: BigInt(i), field: label("signature") });
      take(call, item.client, item.submission);
      taken.push(item.submission);
    }
    if (taken.length === 0) revert("VerisumBatchEmpty", {});
    for (const { chunks } of taken) chunks.forEach(checkForm);
    endIfComplete(call);
  },

  proveChunks(call, round, head, progress, chunks) {
    const { state, sender, emit } = call;
    activeHeader(call, round, "Collecting");
    requireFirst(call, round, sender);
    const weight = requireActive(call, round, sender);
    if (progress.count !== 0n) requireProgress(call, round, head, progress);
    const left = state.parameters.chunkKinds.length - Number(progress.count);
    if (chunks.length === 0 || chunks.length > left) requireLength("chunks", chunks.length, left);
    const next = moveOn(call, weight, head, progress, chunks);
    state.progress.set(sender, progressHash(round, head, next));
    emit("ChunksProven", { round, client: sender, head, progress: next, chunks });
  },

  finishSubmission(call, round, progress, submission) {
    const { state, sender } = call;
    activeHeader(call, round, "Collecting");
    requireFirst(call, round, sender);
    const wrong = wrongLength(call, submission, 0);
    if (wrong !== undefined) requireLength(...wrong);
    requireProgress(call, round, headOf(submission, progress.wires), progress);
    requireLength("chunks", progress.count, state.parameters.chunkKinds.length);
    take(call, sender, submission);
    endIfComplete(call);
  },
};

function requireActive(call: Call, round: bigint, account: Hex): bigint {
  const client = call.state.clients.get(account);
  const { activeFromRound, untilRound } = client ?? { activeFromRound: 0n, untilRound: 0n };
  if (client === undefined || activeFromRound > round || (untilRound !== 0n && untilRound <= round))
    return revert("VerisumNotActiveClient", { client: account, activeFromRound, untilRound });
  const { lastSubmittedRound } = client;
  const firstRound = lastSubmittedRound + BigInt(call.state.parameters.minSeparation);
  if (lastSubmittedRound !== 0n && firstRound > round) revert("VerisumTooSoon", { client: account, firstRound });
  if (isUsedUp(call, client)) revert("VerisumRoundsUsedUp", { client: account, includedRounds: client.includedRounds });
  return client.weight;
}

/** The digest of the model that a submission starts from. */
function baseDigest({ state }: Pick<Call, "state">, base: bigint): Hex {
  const latest = BigInt(state.finalisedRounds);
  if (base > latest) revert("VerisumBaseUnknown", { base, latest });
  const oldest = latest - BigInt(state.parameters.maxStaleness);
  if (base < oldest) revert("VerisumBaseTooOld", { base, oldest });
  return state.modelDigests[Number(base)]!;
}

function requireFirst({ state }: Call, round: bigint, client: Hex): void {
  if (state.clients.get(client)?.lastSubmittedRound === round) revert("VerisumAlreadySubmitted", { client });
}

/** The first array whose length is not the task's. */
function wrongLength(
  { state }: Call,
  { shareHashes, chunks, shareEvaluations }: Solidity.Submission,
  chunkCount: number,
): [field: string, actual: number, expected: number] | undefined {
  const { committeeSize, threshold } = state.parameters;
  const lengths: [string, number, number][] = [
    ["shareHashes", shareHashes.length, committeeSize],
    ["chunks", chunks.length, chunkCount],
    ["shareEvaluations", shareEvaluations.length, threshold - 1],
  ];
  return lengths.find(([, actual, expected]) => actual !== expected);
}

function isSigned(
  { state }: Call,
  round: bigint,
  { client, submission, signature }: Solidity.SignedSubmission,
): boolean {
  const [r, vs] = signature;
  const signed = { client, submission: decodeSubmission(submission), signature: { r, vs } };
  try {
    checkSubmissionSignature({ ...state.context, round }, signed);
    return true;
  } catch (error) {
    if (!isVerisumError(error, "SIGNATURE_INVALID")) throw error;
    return false;
  }
}

/** Records a submission and adds its commitment to the sum. */
function take(call: Call, client: Hex, submission: Solidity.Submission): void {
  const { state, emit } = call;
  const { header } = state;
  const weight = requireActive(call, header.number, client);
  for (const value of submission.shareEvaluations)
    if (value >= FIELD_ORDER) revert("VerisumNotCanonical", { field: label("shareEvaluations"), value });
  if (isInfinity(submission.commitment)) revert("VerisumPointInfinity", { field: label("commitment") });
  baseDigest(call, submission.base);
  const totalWeight = header.totalWeight + weight;
  if (header.submitted === MAX_COHORT || totalWeight > MAX_TOTAL_WEIGHT)
    revert("VerisumBufferFull", { submitted: BigInt(header.submitted), totalWeight });
  state.clients.get(client)!.lastSubmittedRound = header.number;
  const record = intakeRecordOf({ client, weight: Number(weight), submission });
  state.records.push(record);
  state.roundHash = extendIntake(state.roundHash, recordHashOf(header.number, record));
  state.sum = addWeighted(state.sum, submission.commitment, weight);
  header.totalWeight = totalWeight;
  const index = BigInt(header.submitted++);
  emit("Submitted", { round: header.number, client, index, weight, submission });
}

/** sum + weight · point. @throws CHAIN_REVERTED (VerisumPointInvalid) for a point off the curve */
export function addWeighted(sum: G1, point: G1, weight: bigint): G1 {
  try {
    return addG1(sum, multiplyG1(point, weight));
  } catch (error) {
    if (!isVerisumError(error, "POINT_NOT_ON_CURVE")) throw error;
    return revert("VerisumPointInvalid", {});
  }
}

function checkForm({ d, a, b, y, h }: Solidity.ChunkProof): void {
  if (y >= FIELD_ORDER) revert("VerisumNotCanonical", { field: label("y"), value: y });
  if (h >= FIELD_ORDER) revert("VerisumNotCanonical", { field: label("h"), value: h });
  if (isInfinity(d)) revert("VerisumPointInfinity", { field: label("d") });
  if (isInfinity(a)) revert("VerisumPointInfinity", { field: label("a") });
  if (b.every((word) => word === 0n)) revert("VerisumPointInfinity", { field: label("b") });
}

/** The last submission that is expected ends the phase, but not before its shortest time is over. */
function endIfComplete({ state, now }: Call): void {
  const { header, parameters, keyWindowStart } = state;
  if (header.submitted < header.expected) return;
  const earliest = keyWindowStart + BigInt(parameters.minCollectSeconds);
  if (now < earliest) {
    header.deadline = earliest;
    return;
  }
  header.phase = "Attesting";
  header.deadline = now + BigInt(parameters.attestSeconds);
}

function headOf(submission: Solidity.Submission, wires: Hex): Solidity.SubmissionHead {
  const { base, commitment, sharesCid, shareHashes } = submission;
  return { base, commitment, sharesDigest: sharesDigest(shareHashes), sharesCid, wiresDigest: wires };
}

function progressHash(round: bigint, head: Solidity.SubmissionHead, progress: Solidity.ChunkProgress): Hex {
  const { base, commitment, sharesDigest, sharesCid, wiresDigest } = head;
  const { count, wires, h, y, zPower } = progress;
  return hashOf([
    round,
    base,
    commitment.x,
    commitment.y,
    sharesDigest,
    sharesCid,
    wiresDigest,
    count,
    wires,
    h,
    y,
    zPower,
  ]);
}

function requireProgress(
  { state, sender }: Call,
  round: bigint,
  head: Solidity.SubmissionHead,
  progress: Solidity.ChunkProgress,
): void {
  if (state.progress.get(sender) !== progressHash(round, head, progress))
    revert("VerisumProgressUnknown", { client: sender });
}

/** What these chunks leave for the next ones. */
function moveOn(
  { state, sender }: Call,
  weight: bigint,
  head: Solidity.SubmissionHead,
  progress: Solidity.ChunkProgress,
  chunks: readonly Solidity.ChunkProof[],
): Solidity.ChunkProgress {
  const layout = layoutOfTask(state.parameters);
  const challenge = challengeOfHead({
    ...state.context,
    ...head,
    round: state.header.number,
    client: sender,
    weight: Number(weight),
    baseModelDigest: baseDigest({ state }, head.base),
    shareEvaluationCount: state.parameters.threshold - 1,
    chunkCount: layout.chunks.length,
  });
  const { z } = challengePoints(challenge);
  const start = { count: 0n, wires: ZERO_WORD, h: FIRST_ACCUMULATOR_HASH, y: 0n, zPower: 1n };
  return chunks.reduce(
    (before, chunk) => {
      checkForm(chunk);
      const { elementCount } = layout.chunks[Number(before.count)]!;
      return {
        count: before.count + 1n,
        wires: hashWords([BigInt(before.wires), chunk.d.x, chunk.d.y]),
        h: chunk.h,
        y: toField(before.y + before.zPower * chunk.y),
        zPower: toField(before.zPower * power(z, BigInt(elementCount))),
      };
    },
    progress.count === 0n ? start : progress,
  );
}
