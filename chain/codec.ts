/** Between ethers' decoded values and the project's types. */
import type { G1, G2 } from "../protocol/points.ts";
import { g2Words } from "../protocol/verification-key.ts";
import type { ChunkProof, Submission } from "../protocol/submission.ts";
import { kindBytes } from "../protocol/task.ts";
import type { TaskParameters } from "../protocol/task.ts";
import { fromHex, toHex } from "../protocol/transcript.ts";
import type { Hex } from "../protocol/transcript.ts";
import { PHASES } from "./task-chain.ts";
import type { RoundResult, RoundState, SignedSubmission } from "./task-chain.ts";

/** What ethers returns for a tuple: values by name. The ABI fixes their kinds. */
export type Decoded = Readonly<Record<string, never>>;

interface DecodedPoint {
  readonly x: bigint;
  readonly y: bigint;
}

interface DecodedSubmission {
  readonly commitment: DecodedPoint;
  readonly sharesCid: Hex;
  readonly shareHashes: Iterable<Hex>;
  readonly chunks: Iterable<{
    readonly d: DecodedPoint;
    readonly a: DecodedPoint;
    readonly b: readonly bigint[];
    readonly c: DecodedPoint;
    readonly y: bigint;
    readonly h: bigint;
  }>;
  readonly shareEvaluations: Iterable<bigint>;
  readonly opening: DecodedPoint;
}

export function decodePoint({ x, y }: DecodedPoint): G1 {
  return { x, y };
}

export function decodeSubmission(value: DecodedSubmission): Submission {
  return {
    commitment: decodePoint(value.commitment),
    sharesCid: value.sharesCid,
    shareHashes: [...value.shareHashes],
    chunks: decodeChunks(value.chunks),
    shareEvaluations: [...value.shareEvaluations],
    opening: decodePoint(value.opening),
  };
}

/** The argument of `submit`. */
export function encodeSubmission(submission: Submission): unknown {
  return { ...submission, chunks: encodeChunks(submission.chunks) };
}

export function encodeChunks(chunks: readonly ChunkProof[]): unknown[] {
  return chunks.map((chunk) => ({ ...chunk, b: g2Words(chunk.b) }));
}

export function decodeChunks(chunks: DecodedSubmission["chunks"]): ChunkProof[] {
  return [...chunks].map((chunk) => ({
    d: decodePoint(chunk.d),
    a: decodePoint(chunk.a),
    b: decodeG2(chunk.b),
    c: decodePoint(chunk.c),
    y: chunk.y,
    h: chunk.h,
  }));
}

export function decodeRound(value: Decoded): RoundState {
  const raw = value as unknown as Record<keyof RoundState, bigint> & { readonly sum: DecodedPoint };
  return {
    number: raw.number,
    phase: PHASES[Number(raw.phase)]!,
    deadline: Number(raw.deadline),
    expected: Number(raw.expected),
    submitted: Number(raw.submitted),
    keyMask: raw.keyMask,
    releaseMask: raw.releaseMask,
    totalWeight: Number(raw.totalWeight),
    included: raw.included,
    proposedMembers: raw.proposedMembers,
    sum: decodePoint(raw.sum),
  };
}

/** One item of `submitBatch`'s argument. */
export function encodeSigned({ client, submission, signature }: SignedSubmission): unknown {
  return { client, submission: encodeSubmission(submission), signature: [signature.r, signature.vs] };
}

/** The constructor's first argument. */
export function encodeParameters(
  parameters: TaskParameters,
): Omit<TaskParameters, "chunkKinds"> & { readonly chunkKinds: Hex } {
  return { ...parameters, chunkKinds: toHex(kindBytes(parameters)) };
}

export function decodeParameters(value: Decoded): TaskParameters {
  const raw = value as unknown as Record<string, bigint> &
    Record<"taskCid" | "genesisCid" | "genesisDigest" | "keysHash", Hex> & {
      readonly uniformWeights: boolean;
      readonly openRegistration: boolean;
      readonly chunkKinds: Hex;
    };
  const number = (name: string): number => Number(raw[name]);
  return {
    taskCid: raw.taskCid,
    genesisCid: raw.genesisCid,
    genesisDigest: raw.genesisDigest,
    keysHash: raw.keysHash,
    coordinateBits: number("coordinateBits"),
    dimension: number("dimension"),
    normBoundSquared: raw.normBoundSquared!,
    committeeSize: number("committeeSize"),
    threshold: number("threshold"),
    quorum: number("quorum"),
    minClients: number("minClients"),
    minHonest: number("minHonest"),
    maxCorrupt: number("maxCorrupt"),
    uniformWeights: raw.uniformWeights,
    openRegistration: raw.openRegistration,
    bondWei: raw.bondWei!,
    keyWindowSeconds: number("keyWindowSeconds"),
    collectSeconds: number("collectSeconds"),
    attestSeconds: number("attestSeconds"),
    aggregateSeconds: number("aggregateSeconds"),
    maxRounds: number("maxRounds"),
    privacyCostPerRound: raw.privacyCostPerRound!,
    privacyBudget: raw.privacyBudget!,
    chunkKinds: [...fromHex(raw.chunkKinds)],
  };
}

export function decodeResult({ aggregateCid, aggregateDigest, modelCid, modelDigest }: RoundResult): RoundResult {
  return { aggregateCid, aggregateDigest, modelCid, modelDigest };
}

function decodeG2([x1, x0, y1, y0]: readonly bigint[]): G2 {
  return { x: { c0: x0!, c1: x1! }, y: { c0: y0!, c1: y1! } };
}
