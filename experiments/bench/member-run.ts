/** Committee members' work: decrypt and check every client's share, and add the shares up. */
import { openShare } from "../../protocol/bundle.ts";
import type { RoundKeyPair } from "../../protocol/bundle.ts";
import type { Layout } from "../../protocol/layout.ts";
import { checkShare, linearCombination } from "../../protocol/sharing.ts";
import { submissionEvaluation } from "../../protocol/submission.ts";
import type { SubmissionContext } from "../../protocol/submission.ts";
import { challengeOf, challengePoints, sharesDigest } from "../../protocol/transcript.ts";
import type { ClientReport } from "./client-job.ts";

export interface MemberMeasurement {
  /** Milliseconds for each share; the first member's, which warm up, are left out. */
  readonly checkMs: readonly number[];
  /** Σ share over all clients, seat 1 first. */
  readonly shareSums: readonly (readonly bigint[])[];
}

/**
 * The first member checks until it has done so many, or for so long: compilers need that before times are a running
 * member's.
 */
const WARM_UP = { checks: 60, milliseconds: 2_000 } as const;

/**
 * @param keys by seat, 1 first
 * @param contexts by client, in the order of `outputs`
 * @throws SHARE_* if a share is not what the contract recorded
 */
export async function measureMembers(
  layout: Layout,
  keys: readonly RoundKeyPair[],
  contexts: readonly SubmissionContext[],
  outputs: ClientReport["outputs"],
): Promise<MemberMeasurement> {
  const check = async (
    index: number,
    i: number,
  ): Promise<{ readonly share: bigint[]; readonly milliseconds: number }> => {
    const seat = index + 1;
    const context = contexts[i]!;
    const { submission, sealed } = outputs[i]!;
    const started = performance.now();
    const share = await openShare(
      sealed[index]!,
      keys[index]!,
      { ...context, seat },
      { elementCount: layout.elementCount, threshold: submission.shareEvaluations.length + 1 },
    );
    const challenge = challengeOf({
      ...context,
      ...submission,
      sharesDigest: sharesDigest(submission.shareHashes),
      shareEvaluationCount: submission.shareEvaluations.length,
      wireCommitments: submission.chunks.map((chunk) => chunk.d),
    });
    const { z } = challengePoints(challenge);
    const y = submissionEvaluation(
      layout,
      submission.chunks.map((chunk) => chunk.y),
      z,
    );
    checkShare(seat, share, { hash: submission.shareHashes[index]!, z, y, evaluations: submission.shareEvaluations });
    return { share, milliseconds: performance.now() - started };
  };
  const warm = performance.now();
  for (let k = 0; k < WARM_UP.checks && performance.now() - warm < WARM_UP.milliseconds; k++)
    await check(0, k % outputs.length);

  const checkMs: number[] = [];
  const shareSums: (readonly bigint[])[] = [];
  for (let index = 0; index < keys.length; index++) {
    let sum: bigint[] | undefined;
    for (let i = 0; i < outputs.length; i++) {
      const { share, milliseconds } = await check(index, i);
      if (index > 0) checkMs.push(milliseconds);
      const weight = BigInt(contexts[i]!.weight);
      sum = sum === undefined ? linearCombination([share], [weight]) : linearCombination([sum, share], [1n, weight]);
    }
    shareSums.push(sum!);
  }
  return { checkMs, shareSums };
}
