/**
 * Verification keys whose secrets are known, and with them valid proofs of anything: what the contract verifies is the
 * pairing product, so its tests need no circuit. Each proof costs a few scalar multiplications. For tests only.
 */
import { invert, multiply, randomElement, toField } from "../../protocol/field.ts";
import type { Layout } from "../../protocol/layout.ts";
import { CHUNK_PUBLIC_SIGNALS } from "../../protocol/parameters.ts";
import type { Preset } from "../../protocol/parameters.ts";
import { G1_GENERATOR, G2_GENERATOR, multiplyG1, multiplyG2 } from "../../protocol/points.ts";
import type { G1 } from "../../protocol/points.ts";
import { poseidonPair } from "../../protocol/poseidon.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { chunkBound, submissionEvaluation } from "../../protocol/submission.ts";
import type { ChunkProof, Submission, SubmissionContext } from "../../protocol/submission.ts";
import { challengeOf, challengePoints, hashWords, sharesDigest } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import type { VerificationKeys } from "../../protocol/verification-key.ts";

interface KindSecrets {
  readonly delta: bigint;
  readonly sigma: bigint;
  readonly bases: readonly bigint[];
}

/** Discrete logarithms of every point of the keys. */
export interface KeySecrets {
  readonly alpha: bigint;
  readonly beta: bigint;
  readonly tau: bigint;
  readonly kinds: readonly KindSecrets[];
}

export function drawSecrets(preset: Preset, random: RandomBytes): KeySecrets {
  const draw = (): bigint => randomElement(random);
  return {
    alpha: draw(),
    beta: draw(),
    tau: draw(),
    kinds: preset.kinds.map(() => ({
      delta: draw(),
      sigma: draw(),
      bases: Array.from({ length: CHUNK_PUBLIC_SIGNALS.length + 1 }, draw),
    })),
  };
}

export function keysOf(secrets: KeySecrets): VerificationKeys {
  const g1 = (scalar: bigint): G1 => multiplyG1(G1_GENERATOR, scalar);
  const g2 = (scalar: bigint): VerificationKeys["beta"] => multiplyG2(G2_GENERATOR, scalar);
  return {
    alpha: g1(secrets.alpha),
    beta: g2(secrets.beta),
    tau: g2(secrets.tau),
    kinds: secrets.kinds.map((kind) => ({
      delta: g2(kind.delta),
      sigma: g2(kind.sigma),
      publicBases: kind.bases.map(g1),
    })),
  };
}

/** What a simulated submission is made of besides randomness. */
export interface SimulatedParty {
  readonly layout: Layout;
  readonly committeeSize: number;
  readonly threshold: number;
}

/** A submission together with the exponent of its commitment and the point z it is opened at. */
export interface SimulatedSubmission {
  readonly submission: Submission;
  readonly commitmentScalar: bigint;
  readonly z: bigint;
}

/** A submission that the contract accepts in this context, for a random vector. */
export function simulateSubmission(
  secrets: KeySecrets,
  party: SimulatedParty,
  context: SubmissionContext,
  random: RandomBytes,
): SimulatedSubmission {
  const draw = (): bigint => randomElement(random);
  const commitmentScalar = draw();
  const commitment = multiplyG1(G1_GENERATOR, commitmentScalar);
  const sharesCid = hashWords([draw()]);
  const shareHashes: Hex[] = Array.from({ length: party.committeeSize }, () => hashWords([draw()]));
  const wires = party.layout.chunks.map(draw);
  const challenge = challengeOf({
    ...context,
    commitment,
    sharesDigest: sharesDigest(shareHashes),
    sharesCid,
    shareEvaluationCount: party.threshold - 1,
    wireCommitments: wires.map((wire) => multiplyG1(G1_GENERATOR, wire)),
  });
  const { alpha, z } = challengePoints(challenge);
  let hPrevious = poseidonPair(0n, 0n);
  const chunks = party.layout.chunks.map((chunk, index): ChunkProof => {
    const [y, h] = [draw(), draw()];
    const bound = chunkBound(index, party.layout.chunks.length, context.normBoundSquared);
    const inputs = [y, h, alpha, z, bound, hPrevious];
    hPrevious = h;
    return {
      d: multiplyG1(G1_GENERATOR, wires[index]!),
      ...simulateProof(secrets, chunk.kindIndex, wires[index]!, inputs, random),
      y,
      h,
    };
  });
  const y = submissionEvaluation(
    party.layout,
    chunks.map((chunk) => chunk.y),
    z,
  );
  return {
    submission: {
      base: context.base,
      commitment,
      sharesCid,
      shareHashes,
      chunks,
      shareEvaluations: Array.from({ length: party.threshold - 1 }, draw),
      opening: simulateOpening(secrets, commitmentScalar, z, y),
    },
    commitmentScalar,
    z,
  };
}

/** Groth16's simulator: random A and B, and the C that closes the equation. `wire` is the exponent of D. */
export function simulateProof(
  secrets: KeySecrets,
  kindIndex: number,
  wire: bigint,
  inputs: readonly bigint[],
  random: RandomBytes,
): Pick<ChunkProof, "a" | "b" | "c"> {
  const kind = secrets.kinds[kindIndex]!;
  const [a, b] = [randomElement(random), randomElement(random)];
  const publicPart = inputs.reduce((sum, input, i) => sum + input * kind.bases[i + 1]!, kind.bases[0]!);
  const c = multiply(
    toField(a * b - secrets.alpha * secrets.beta - publicPart - wire * kind.sigma),
    invert(kind.delta),
  );
  return { a: multiplyG1(G1_GENERATOR, a), b: multiplyG2(G2_GENERATOR, b), c: multiplyG1(G1_GENERATOR, c) };
}

/** The KZG proof that the commitment with this exponent opens at z to y. */
export function simulateOpening(secrets: KeySecrets, commitmentScalar: bigint, z: bigint, y: bigint): G1 {
  return multiplyG1(G1_GENERATOR, multiply(toField(commitmentScalar - y), invert(toField(secrets.tau - z))));
}
