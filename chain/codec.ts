/** Between ethers' decoded values, as the generated types have them, and the project's types. */
import type { G1, G2 } from "../protocol/points.ts";
import type { ChunkProof, Submission } from "../protocol/submission.ts";
import { encodeWords } from "../protocol/field.ts";
import { parameterWords } from "../protocol/task.ts";
import type { NumericParameter, PARAMETER_WORDS, ParameterBits, TaskParameters } from "../protocol/task.ts";
import { fromHex, sharesDigest, toHex } from "../protocol/transcript.ts";
import type { Hex, IntakeRecord } from "../protocol/transcript.ts";
import { g2Words } from "../protocol/verification-key.ts";
import { converter, same } from "./fields.ts";
import type { Encodable } from "./fields.ts";
import { TASK_PARAMETERS_FIELDS } from "./generated/verisum.ts";
import type * as Solidity from "./generated/verisum.ts";
import { PHASES } from "./task-chain.ts";
import type {
  AttestationStatement,
  ClientStatus,
  CompactSignature,
  ModelRecord,
  ReleaseStatement,
  RoundResult,
  RoundState,
  SignedSubmission,
  SubmittedRecord,
} from "./task-chain.ts";

/** Fields with these names, each of which the ABI encodes as one word; numbers have the widths that schemas know. */
type WordFields<Names extends readonly string[]> = {
  readonly [I in keyof Names]: {
    readonly name: Names[I];
    readonly type: Names[I] extends NumericParameter
      ? `uint${ParameterBits[Names[I]]}`
      : `bytes${number}` | "bool" | "address";
  };
};

/**
 * The parameters' fields, in the order in which the contract encodes them and the protocol hashes them: two orders do
 * not compile, and neither do two widths.
 */
export const HASHED_FIELDS: readonly [
  ...WordFields<typeof PARAMETER_WORDS>,
  { readonly name: "chunkKinds"; readonly type: "bytes" },
] = TASK_PARAMETERS_FIELDS;

export const decodePoint = converter<Solidity.G1Point, G1>({ x: same, y: same });

export const decodeChunk = converter<Solidity.ChunkProof, ChunkProof>({
  d: decodePoint,
  a: decodePoint,
  b: decodeG2,
  c: decodePoint,
  y: same,
  h: same,
});

export const decodeSubmission = converter<Solidity.Submission, Submission>({
  base: same,
  commitment: decodePoint,
  sharesCid: same,
  shareHashes: (hashes) => [...hashes],
  chunks: (chunks) => [...chunks].map(decodeChunk),
  shareEvaluations: (evaluations) => [...evaluations],
  opening: decodePoint,
});

/** The argument of `submit`. */
export function encodeSubmission(submission: Submission): Solidity.Submission {
  return { ...submission, chunks: encodeChunks(submission.chunks) };
}

export function encodeChunks(chunks: readonly ChunkProof[]): Solidity.ChunkProof[] {
  return chunks.map((chunk) => ({ ...chunk, b: g2Words(chunk.b) }));
}

/** One item of `submitBatch`'s argument. */
export function encodeSigned({
  client,
  submission,
  signature,
}: SignedSubmission): Encodable<Solidity.SignedSubmission> {
  return { client, submission: encodeSubmission(submission), signature: encodeSignature(signature) };
}

export const decodeRound = converter<Solidity.RoundState, RoundState>({
  number: same,
  phase: (phase) => PHASES[Number(phase)]!,
  deadline: Number,
  expected: Number,
  submitted: Number,
  keyMask: same,
  totalWeight: Number,
  included: same,
  proposedMembers: same,
  sum: decodePoint,
  intake: same,
  settlement: same,
});

/** Items of `settle`'s and `finalize`'s arguments. */
export function encodeAttestation({
  seat,
  good,
  refused,
  signature,
}: AttestationStatement): Encodable<Solidity.Attestation> {
  return { seat, good, refused, signature: encodeSignature(signature) };
}

export function encodeRelease({ seat, releaseCid, signature }: ReleaseStatement): Encodable<Solidity.Release> {
  return { seat, releaseCid, signature: encodeSignature(signature) };
}

export function encodeSignature({ r, vs }: CompactSignature): readonly [Hex, Hex] {
  return [r, vs];
}

/** A client that a settlement leaves out. */
export function encodeExcluded({ index, ...record }: SubmittedRecord): Encodable<Solidity.ExcludedClient> {
  return { index, record: intakeRecordOf(record) };
}

/** What the contract keeps of a submission, by its record or its event. */
export function intakeRecordOf({
  client,
  weight,
  submission,
}: {
  readonly client: Hex;
  readonly weight: number;
  readonly submission: Pick<Submission | Solidity.Submission, "commitment" | "shareHashes" | "sharesCid">;
}): IntakeRecord {
  const { commitment, shareHashes, sharesCid } = submission;
  return {
    client,
    weight,
    commitment: decodePoint(commitment),
    sharesDigest: sharesDigest([...shareHashes]),
    sharesCid,
  };
}

export const decodeModel = converter<Solidity.ModelRecord, ModelRecord>({ round: same, cid: same, digest: same });

export const decodeClient = converter<Solidity.ClientState, ClientStatus>({
  weight: Number,
  activeFromRound: same,
  untilRound: same,
  lastSubmittedRound: same,
  bondWei: same,
  refusals: Number,
  includedRounds: Number,
  moved: same,
});

export const decodeResult = converter<Solidity.RoundResult, RoundResult>({
  aggregateCid: same,
  aggregateDigest: same,
  modelCid: same,
  modelDigest: same,
});

/** The constructor's first argument. */
export function encodeParameters(parameters: TaskParameters): Hex {
  return toHex(encodeWords(parameterWords(parameters)));
}

export const decodeParameters = converter<Solidity.TaskParameters, TaskParameters>({
  taskCid: same,
  genesisCid: same,
  genesisDigest: same,
  keysHash: same,
  coordinateBits: Number,
  dimension: Number,
  normBoundSquared: same,
  committeeSize: Number,
  threshold: Number,
  quorum: Number,
  minClients: Number,
  minHonest: Number,
  maxCorrupt: Number,
  uniformWeights: same,
  maxWeight: Number,
  bufferGoal: Number,
  maxStaleness: Number,
  minSeparation: Number,
  minCollectSeconds: Number,
  openRegistration: same,
  bondWei: same,
  maxRefusals: Number,
  keyWindowSeconds: Number,
  collectSeconds: Number,
  attestSeconds: Number,
  aggregateSeconds: Number,
  maxRounds: Number,
  maxRoundsPerClient: Number,
  privacyCostPerRound: same,
  privacyBudget: same,
  chunkKinds: (kinds) => [...fromHex(kinds)],
});

/** Addresses are lower-case in this project; ethers returns them with a checksum. */
export function decodeAddress(address: Hex): Hex {
  return address.toLowerCase() as Hex;
}

function decodeG2([x1, x0, y1, y0]: Solidity.ChunkProof["b"]): G2 {
  return { x: { c0: x0, c1: x1 }, y: { c0: y0, c1: y1 } };
}
