/** From a private vector to a finished submission: commit, share, prove (docs/protocol.md, sections 4 and 5). */
import type { RoundRecords, SubmittedRecord, TaskWriter } from "../chain/task-chain.ts";
import { digestHexOfCid } from "../content/cid.ts";
import { sealShare, shareFileName } from "../protocol/bundle.ts";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import type { ModelState } from "../protocol/model.ts";
import type { ChunkProver } from "../protocol/ports.ts";
import type { RandomBytes } from "../protocol/random.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { commitUpdate, proveUpdate } from "../protocol/submission.ts";
import type { CommittedUpdate, Submission } from "../protocol/submission.ts";
import { fromHex } from "../protocol/transcript.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { CommittingTask } from "../task/opened-task.ts";
import type { PrivateVector, SubmissionTarget } from "./journal.ts";
import type { RoundTerms } from "./round-trainer.ts";
import { NO_KEY } from "./target.ts";

/** The newest model, which the client trains on. */
export interface BaseModel {
  /** 0 is the genesis, k the k-th finalised round's. */
  readonly number: bigint;
  readonly digest: Hex;
  /** Ends when its audit has passed. @throws what the audit does; somebody listens besides the caller */
  readonly audited: Promise<void>;
  /** Reads it, once; compared with the digest. @throws MODEL_DIGEST_MISMATCH, store errors */
  readonly state: () => Promise<ModelState>;
}

/** The client's own learning: the update in units of the model's weights, and how it becomes bounded integers. */
export interface LocalLearner {
  /** Δ = θ_local − θ_base. */
  update(base: ModelState, round: bigint, terms: RoundTerms): Promise<Float32Array>;
  /**
   * Clipped, scaled and rounded coordinates, and the vote on the clip norm if the task adapts it.
   * @param staleness models that were made since the base; 0 unless told
   */
  quantise(update: Float32Array, base: ModelState, staleness?: number): Int32Array;
}

export interface MakingDependencies {
  readonly chain: Pick<TaskWriter, "account" | "context" | "roundKey" | "rereadRound">;
  readonly task: CommittingTask;
  readonly prover: ChunkProver;
  /**
   * Verifies the finished submission as the contract will, before anything leaves the machine.
   * @throws SUBMISSION_INVALID
   */
  readonly verifyOwn: (bases: Pick<RoundRecords, "bases">, record: SubmittedRecord) => void;
  readonly random: RandomBytes;
  readonly reporter: Reporter;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

/**
 * Commits to the vector, encrypts the shares, stores the bundle locally and proves. Nothing has left the machine when
 * it returns.
 */
export async function makeSubmission(
  deps: MakingDependencies,
  target: SubmissionTarget,
  { coordinates }: PrivateVector,
): Promise<Submission> {
  const { chain, task, prover, random, reporter } = deps;
  const { round, weight } = target;
  let started = deps.clock();
  const committed = await commitUpdate(task.layout, task.parameters, coordinates, {
    committer: task.committer,
    random,
  });
  const files = await sealShares(deps, committed, round, target.roundKeys);
  const sharesCid = digestHexOfCid(await task.store.putDirectory(files)) as Hex;
  reporter.say("info", "committed", `round ${round}: committed and encrypted ${Object.keys(files).length} shares`, {
    round,
    milliseconds: Math.round(deps.clock() - started),
    bytes: Object.values(files).reduce((sum, file) => sum + file.length, 0),
  });

  started = deps.clock();
  const context = {
    ...chain.context,
    round,
    client: chain.account,
    weight,
    parametersHash: task.parametersHash,
    baseModelDigest: target.baseModelDigest,
    base: target.base,
    normBoundSquared: task.parameters.normBoundSquared,
  };
  const submission = await proveUpdate(task.layout, context, committed, sharesCid, {
    committer: task.committer,
    prover,
  });
  // A proving key or witness program that is not what it should be can leak, or waste the round: the operator supplies
  // them.
  const bases = new Map([[target.base, target.baseModelDigest]]);
  deps.verifyOwn(
    { bases },
    {
      round,
      client: chain.account,
      index: 0,
      weight,
      submission,
      transactionHash: "0x",
      blockNumber: 0,
    },
  );
  reporter.say(
    "info",
    "proven",
    `round ${round}: proved the norm bound in ${((deps.clock() - started) / 1000).toFixed(1)} s`,
    {
      round,
      milliseconds: Math.round(deps.clock() - started),
      chunks: submission.chunks.length,
    },
  );
  return submission;
}

/** One file for each seat that has a key this round; a seat with an unusable key gets none and cannot attest. */
async function sealShares(
  deps: MakingDependencies,
  committed: CommittedUpdate,
  round: bigint,
  roundKeys: readonly Hex[],
): Promise<Record<string, Uint8Array>> {
  const { chain, random, reporter } = deps;
  const files: Record<string, Uint8Array> = {};
  for (const [index, share] of committed.shares.entries()) {
    const seat = index + 1;
    const publicKey = roundKeys[index]!;
    if (publicKey === NO_KEY) continue;
    try {
      files[shareFileName(seat)] = await sealShare(
        committed.sharing.seeds[index] ?? share,
        fromHex(publicKey),
        { ...chain.context, round, client: chain.account, seat },
        random,
      );
    } catch (error) {
      if (!isVerisumError(error, "ROUND_KEY_INVALID")) throw error;
      await chain.rereadRound(`by what it says the key of seat ${seat} is unusable`);
      if ((await chain.roundKey(round, seat)) !== publicKey)
        throw new VerisumError("CHAIN_REORGANISED", `the key of seat ${seat} changed`, { round, seat });
      reporter.say("warn", "unusable-key", `round ${round}: the key of seat ${seat} is unusable; it gets no share`, {
        round,
        seat,
      });
    }
  }
  return files;
}
