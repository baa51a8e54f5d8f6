/**
 * Submissions of more chunks than one transaction carries: the steps, and how they are found again (docs/protocol.md,
 * section 6).
 */
import type { ChunkProof, Submission } from "../protocol/submission.ts";
import { sharesDigest, wiresDigest } from "../protocol/transcript.ts";
import { encodeChunks, encodeSubmission } from "./codec.ts";
import type * as Solidity from "./generated/verisum.ts";
import type { ChunkProgress, ChunkStep, SubmissionHead } from "./task-chain.ts";

/**
 * Chunks that one transaction proves: about 8.8 million gas, of the 16,777,216 that a transaction may use (EIP-7825).
 */
export const CHUNKS_PER_TRANSACTION = 128;

/** A count of zero starts a submission; the contract does not look at the rest then. */
const START: ChunkProgress = { count: 0n, wires: `0x${"00".repeat(32)}`, h: 0n, y: 0n, zPower: 0n };

/** What fixes a submission's challenge. */
export function headOf(submission: Submission): SubmissionHead {
  return {
    base: submission.base,
    commitment: submission.commitment,
    sharesDigest: sharesDigest(submission.shareHashes),
    sharesCid: submission.sharesCid,
    wiresDigest: wiresDigest(submission.chunks.map(({ d }) => d)),
  };
}

/**
 * Proves the chunks that the chain does not have yet, then ends the submission.
 *
 * @param last the account's last step in this round, if it made any; of another submission it does not count
 * @param prove sends `proveChunks` with these arguments and returns the progress that its event reports
 * @param finish sends `finishSubmission`
 * @returns what `finish` returned
 */
export async function sendInSteps<T>(
  submission: Submission,
  last: ChunkStep | undefined,
  prove: (
    head: SubmissionHead,
    progress: ChunkProgress,
    chunks: readonly Solidity.ChunkProof[],
  ) => Promise<ChunkProgress>,
  finish: (progress: ChunkProgress, submission: Solidity.Submission) => Promise<T>,
): Promise<T> {
  const head = headOf(submission);
  let progress = last !== undefined && isSameHead(last.head, head) ? last.progress : START;
  while (progress.count < submission.chunks.length) {
    const first = Number(progress.count);
    const chunks: readonly ChunkProof[] = submission.chunks.slice(first, first + CHUNKS_PER_TRANSACTION);
    progress = await prove(head, progress, encodeChunks(chunks));
  }
  return finish(progress, encodeSubmission({ ...submission, chunks: [] }));
}

function isSameHead(a: SubmissionHead, b: SubmissionHead): boolean {
  return (
    a.base === b.base &&
    a.commitment.x === b.commitment.x &&
    a.commitment.y === b.commitment.y &&
    a.sharesDigest === b.sharesDigest &&
    a.sharesCid === b.sharesCid &&
    a.wiresDigest === b.wiresDigest
  );
}
