/**
 * A client's submission, from quantised coordinates to what the contract checks (docs/protocol.md, sections 4 and 5).
 */
import { VerisumError } from "./errors.ts";
import { divideByLinear, evaluatePolynomial, multiply, power, randomElements } from "./field.ts";
import type { Layout } from "./layout.ts";
import { normSquared, packUpdate, tableRows } from "./packing.ts";
import { chunkElements, coordinateOffset, FIELD_ORDER, MASKS_PER_CHUNK, NORM_ACCUMULATOR_BITS } from "./parameters.ts";
import type { G1, G2 } from "./points.ts";
import type { ChunkProofPoints, ChunkProver, ChunkWitness, VectorCommitter } from "./ports.ts";
import { poseidonPair } from "./poseidon.ts";
import type { RandomBytes } from "./random.ts";
import { drawSharing, shareEvaluations, shareFor, shareHash } from "./sharing.ts";
import type { Sharing } from "./sharing.ts";
import { challengeOf, challengePoints, sharesDigest } from "./transcript.ts";
import type { Hex, RoundContext } from "./transcript.ts";

/** One chunk as the contract takes it. */
export interface ChunkProof {
  readonly d: G1;
  readonly a: G1;
  readonly b: G2;
  readonly c: G1;
  readonly y: bigint;
  readonly h: bigint;
}

/** The same fields as `Submission` in contracts/types. */
export interface Submission {
  /** Number of the model that the update starts from. */
  readonly base: bigint;
  readonly commitment: G1;
  readonly sharesCid: Hex;
  readonly shareHashes: readonly Hex[];
  readonly chunks: readonly ChunkProof[];
  readonly shareEvaluations: readonly bigint[];
  readonly opening: G1;
}

/** Where and as whom a client submits. */
export interface SubmissionContext extends RoundContext {
  readonly client: Hex;
  readonly weight: number;
  readonly baseModelDigest: Hex;
  /** Number of the base model. */
  readonly base: bigint;
  readonly normBoundSquared: bigint;
}

/** Stages in order, for progress and benchmarks. */
export type SubmissionStage = "pack" | "commit" | "share" | "wires" | "prove" | "open";
export type OnStage = (stage: SubmissionStage, done: number, total: number) => void;

/** An update that is committed and shared but not yet proven. Secret, used once, never written to disk. */
export interface CommittedUpdate {
  readonly vector: readonly bigint[];
  readonly commitment: G1;
  readonly sharing: Sharing;
  /** By seat, 1 first. Dropped once encrypted. */
  readonly shares: readonly (readonly bigint[])[];
  readonly shareHashes: readonly Hex[];
  readonly witnesses: readonly ChunkWitness[];
}

/**
 * Draws masks, blinders, salts and sharing polynomials, commits to the packed vector and shares it.
 *
 * @param quantised `layout.dimension` signed coordinates
 * @param random a CSPRNG; everything drawn here is used for one submission only
 * @throws UPDATE_LENGTH, UPDATE_OVER_BOUND (coordinate range)
 */
export async function commitUpdate(
  layout: Layout,
  committee: { readonly committeeSize: number; readonly threshold: number },
  quantised: Int32Array,
  deps: { readonly committer: VectorCommitter; readonly random: RandomBytes; readonly onStage?: OnStage },
): Promise<CommittedUpdate> {
  const { committer, random, onStage } = deps;
  onStage?.("pack", 0, 1);
  const masks = randomElements(layout.chunks.length * MASKS_PER_CHUNK, random);
  const vector = packUpdate(layout, quantised, masks);
  const witnesses = chunkWitnesses(layout, quantised, masks, random);
  onStage?.("commit", 0, 1);
  const commitment = await committer.commit(vector);
  onStage?.("share", 0, committee.committeeSize);
  const sharing = drawSharing(committee.threshold, vector, random);
  const shares = Array.from({ length: committee.committeeSize }, (_, i) =>
    shareFor(i + 1, vector, sharing.coefficients),
  );
  return { vector, commitment, sharing, shares, shareHashes: shares.map(shareHash), witnesses };
}

/**
 * Commits to the wires, derives the challenge, proves every chunk and opens the commitment.
 * @param sharesCid digest of the published bundle's CID
 * @throws UPDATE_OVER_BOUND if the squared norm exceeds the bound; KEY_REFUSED if the circuit puts out something else
 *   than the update gives
 */
export async function proveUpdate(
  layout: Layout,
  context: SubmissionContext,
  committed: CommittedUpdate,
  sharesCid: Hex,
  deps: { readonly committer: VectorCommitter; readonly prover: ChunkProver; readonly onStage?: OnStage },
): Promise<Submission> {
  const { committer, prover, onStage } = deps;
  const total = layout.chunks.length;
  onStage?.("wires", 0, total);
  let committedChunks = 0;
  const wireCommitments = await Promise.all(
    layout.chunks.map(async (chunk, index) => {
      const wireCommitment = await prover.commitWires(chunk.kindIndex, committed.witnesses[index]!);
      onStage?.("wires", ++committedChunks, total);
      return wireCommitment;
    }),
  );
  const challenge = challengeOf({
    ...context,
    commitment: committed.commitment,
    sharesDigest: sharesDigest(committed.shareHashes),
    sharesCid,
    shareEvaluationCount: committed.sharing.seeds.length,
    wireCommitments,
  });
  const { alpha, z } = challengePoints(challenge);
  let provedChunks = 0;
  onStage?.("prove", 0, total);
  const chunks = await Promise.all(
    layout.chunks.map(async (chunk, index): Promise<ChunkProof> => {
      const bound = chunkBound(index, total, context.normBoundSquared);
      const proof = await prover.prove(chunk.kindIndex, committed.witnesses[index]!, { alpha, z, bound });
      requireOwnOutputs(layout, committed, index, z, proof);
      onStage?.("prove", ++provedChunks, total);
      return { d: wireCommitments[index]!, ...proof };
    }),
  );
  onStage?.("open", 0, 1);
  const opening = await committer.commit(divideByLinear(committed.vector, z));
  return {
    base: context.base,
    commitment: committed.commitment,
    sharesCid,
    shareHashes: committed.shareHashes,
    chunks,
    shareEvaluations: shareEvaluations(committed.sharing.coefficients, z),
    opening,
  };
}

/**
 * Recomputes what a chunk's circuit puts out and the contract will publish. Whoever supplied the keys chose the
 * circuit: another one could write the update itself into y or h.
 * @throws KEY_REFUSED
 */
function requireOwnOutputs(
  layout: Layout,
  { vector, witnesses }: CommittedUpdate,
  index: number,
  z: bigint,
  { y, h }: ChunkProofPoints,
): void {
  const { kind, elementStart } = layout.chunks[index]!;
  const { rows, accumulatedBefore, salt } = witnesses[index]!;
  const offset = coordinateOffset(layout.preset);
  const norm = rows.reduce((sum, row) => sum + (row - offset) ** 2, 0);
  const block = vector.slice(elementStart, elementStart + chunkElements(kind));
  const isOwn = y === evaluatePolynomial(block, z) && h === poseidonPair(accumulatedBefore + BigInt(norm), salt);
  if (isOwn) return;
  throw new VerisumError(
    "KEY_REFUSED",
    `chunk ${index}: the circuit's outputs are not what the update gives: its keys could publish the update itself`,
    { rule: "circuit-output", chunk: index },
  );
}

/** The bound that the contract passes for a chunk: B² for the last, 2^48 − 1 before it. */
export function chunkBound(chunkIndex: number, chunkCount: number, normBoundSquared: bigint): bigint {
  return chunkIndex === chunkCount - 1 ? normBoundSquared : (1n << BigInt(NORM_ACCUMULATOR_BITS)) - 1n;
}

/** y = Σ z^offset·y_j: what the commitment must open to at z. */
export function submissionEvaluation(layout: Layout, chunkEvaluations: readonly bigint[], z: bigint): bigint {
  let y = 0n;
  layout.chunks.forEach((chunk, index) => {
    y += multiply(power(z, BigInt(chunk.elementStart)), chunkEvaluations[index]!);
  });
  return y % FIELD_ORDER;
}

/** The commitment's value at z and the KZG proof for it. */
export async function openVector(
  vector: readonly bigint[],
  z: bigint,
  committer: VectorCommitter,
): Promise<{ readonly value: bigint; readonly opening: G1 }> {
  return { value: evaluatePolynomial(vector, z), opening: await committer.commit(divideByLinear(vector, z)) };
}

/** Each chunk's private inputs: its rows, masks and blinder, and the chain of salted partial norms. */
function chunkWitnesses(
  layout: Layout,
  quantised: Int32Array,
  masks: readonly bigint[],
  random: RandomBytes,
): ChunkWitness[] {
  const secrets = randomElements(2 * layout.chunks.length, random);
  let accumulatedBefore = 0n;
  let saltBefore = 0n;
  return layout.chunks.map((chunk, index) => {
    const witness: ChunkWitness = {
      rows: tableRows(layout, index, quantised),
      masks: masks.slice(index * MASKS_PER_CHUNK, (index + 1) * MASKS_PER_CHUNK),
      blinder: secrets[2 * index]!,
      accumulatedBefore,
      saltBefore,
      salt: secrets[2 * index + 1]!,
    };
    const end = Math.min(chunk.coordinateStart + chunk.kind.coordinates, quantised.length);
    accumulatedBefore += BigInt(normSquared(quantised.subarray(chunk.coordinateStart, end)));
    saltBefore = witness.salt;
    return witness;
  });
}
