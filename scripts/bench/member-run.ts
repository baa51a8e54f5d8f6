/** Committee members' work: decrypt and check every client's share, and add the shares up. */
import { openShare } from "../../protocol/bundle.ts";
import type { RoundKeyPair } from "../../protocol/bundle.ts";
import type { Layout } from "../../protocol/layout.ts";
import { checkShare, linearCombination } from "../../protocol/sharing.ts";
import { submissionEvaluation } from "../../protocol/submission.ts";
import type { SubmissionContext } from "../../protocol/submission.ts";
import { challengeOf, challengePoints, sharesDigest } from "../../protocol/transcript.ts";
import type { ClientReport } from "./client-fork.ts";

export interface MemberMeasurement {
  /** Milliseconds for each share, the first member's left out as a warm-up. */
  readonly checkMs: readonly number[];
  /** Σ share over all clients, seat 1 first. */
  readonly shareSums: readonly (readonly bigint[])[];
}

/**
 * @param keys by seat, 1 first
 * @param contexts by client, in the order of `outputs`
 * @throws SHARE_* if a share is not what the contract recorded
 */
export async function measureMembers(layout: Layout, keys: readonly RoundKeyPair[], contexts: readonly SubmissionContext[], outputs: ClientReport["outputs"]): Promise<MemberMeasurement> {
  const checkMs: number[] = [];
  const shareSums: (readonly bigint[])[] = [];
  for (const [index, key] of keys.entries()) {
    const seat = index + 1;
    const shares: bigint[][] = [];
    for (const [i, { submission, sealed }] of outputs.entries()) {
      const context = contexts[i]!;
      const started = performance.now();
      const share = await openShare(sealed[index]!, key, { ...context, seat }, layout.elementCount);
      const challenge = challengeOf({
        ...context,
        ...submission,
        sharesDigest: sharesDigest(submission.shareHashes),
        shareEvaluationCount: submission.shareEvaluations.length,
        wireCommitments: submission.chunks.map((chunk) => chunk.d),
      });
      const { z } = challengePoints(challenge);
      const y = submissionEvaluation(layout, submission.chunks.map((chunk) => chunk.y), z);
      checkShare(seat, share, { hash: submission.shareHashes[index]!, z, y, evaluations: submission.shareEvaluations });
      if (index > 0) checkMs.push(performance.now() - started);
      shares.push(share);
    }
    shareSums.push(linearCombination(shares, contexts.map(({ weight }) => BigInt(weight))));
  }
  return { checkMs, shareSums };
}
