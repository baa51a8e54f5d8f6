/** One client's part in one round: train, commit, share, prove, submit (docs/protocol.md, sections 3 to 5). */
import { requireOpened } from "../task/round-records.ts";
import type { CommittingTask } from "../task/opened-task.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { Receipt, RoundRecords, RoundState, SubmittedRecord, TaskWriter } from "../chain/task-chain.ts";
import { cidFromDigest, digestHexOfCid } from "../content/cid.ts";
import { sealShare, shareFileName } from "../protocol/bundle.ts";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import type { ModelState } from "../protocol/model.ts";
import type { ChunkProver } from "../protocol/ports.ts";
import type { RandomBytes } from "../protocol/random.ts";
import { commitUpdate, proveUpdate } from "../protocol/submission.ts";
import type { CommittedUpdate, Submission } from "../protocol/submission.ts";
import { fromHex } from "../protocol/transcript.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { Journal } from "./journal.ts";
import { assertBudgetLeft } from "./privacy-ledger.ts";
import type { SendThroughRelay } from "./relay.ts";
import type { ClientWork } from "../task/windows.ts";
import type { WorkTimes } from "./work-times.ts";

/** The model that the client takes for the base of the next round. */
export interface BaseModel {
  readonly digest: Hex;
  /** Ends when its audit has passed. @throws what the audit does; somebody listens besides the caller */
  readonly audited: Promise<void>;
  /** Reads it, once; compared with the digest. @throws MODEL_DIGEST_MISMATCH, store errors */
  readonly state: () => Promise<ModelState>;
}

/** The client's own learning: the update in units of the model's weights, and how it becomes bounded integers. */
export interface LocalLearner {
  /** Δ = θ_local − θ_base. */
  update(base: ModelState, round: bigint): Promise<Float32Array>;
  /** Clipped, scaled and rounded coordinates, and the vote on the clip norm if the task adapts it. */
  quantise(update: Float32Array, base: ModelState): Int32Array;
}

export interface ParticipantDependencies {
  readonly chain: TaskWriter;
  readonly task: CommittingTask;
  readonly prover: ChunkProver;
  readonly learner: LocalLearner;
  /**
   * Verifies the finished submission as the contract will, before anything leaves the machine.
   * @throws SUBMISSION_INVALID
   */
  readonly verifyOwn: (records: RoundRecords, record: SubmittedRecord) => void;
  readonly random: RandomBytes;
  readonly journal: Journal;
  readonly reporter: Reporter;
  /** Copies a published directory to other parties; throws if fewer than enough hold it. */
  readonly replicate: (cid: string) => Promise<void>;
  /** Sends through others first; absent if the client sends its own transactions only. */
  readonly relay?: SendThroughRelay;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  readonly times: WorkTimes;
}

/**
 * Submits to a collecting round, at most once. A submission kept from before a restart is sent again as it was. Nothing
 * is encoded, shared or sent before the base's audit has passed.
 *
 * @returns true if the contract accepted it now, false if it had already
 * @throws CHAIN_REVERTED if the contract refuses; UPDATE_NOISE_OVER_BOUND if this round's noise does not fit, or
 * did not before a restart; CHAIN_REORGANISED if the round starts from another model than `base`; CHAIN_EVENTS_MISSING;
 * what the audit throws; store, training and proving errors
 */
export async function submitUpdate(
  deps: ParticipantDependencies,
  round: RoundState,
  base: BaseModel,
): Promise<boolean> {
  const { chain, task, journal, reporter } = deps;
  const records = await chain.records(round.number);
  const opened = requireOpened(records);
  if (opened.baseModelDigest !== base.digest)
    throw new VerisumError("CHAIN_REORGANISED", `round ${round.number} starts from another model than the latest one`, {
      round: round.number,
    });
  const { weight, lastSubmittedRound } = await chain.client(chain.account);
  if (lastSubmittedRound === round.number) return false;
  const identity = {
    round: round.number,
    baseModelDigest: opened.baseModelDigest,
    parametersHash: task.parametersHash,
    weight,
  };
  let submission = await journal.find(identity);
  let made: MadeSubmission | undefined;
  if (submission === undefined) {
    await assertBudgetLeft(deps, round.number);
    if (await journal.satOut(round.number))
      throw new VerisumError(
        "UPDATE_NOISE_OVER_BOUND",
        "this round is sat out: its noise did not fit, or the state is a copy; noise is not drawn again",
      );
    made = await makeSubmission(deps, records, weight, base).catch(async (error: unknown) => {
      if (isVerisumError(error) && error.entry.role === "sit-out") await journal.sitOut(round.number);
      throw error;
    });
    submission = made.submission;
    await journal.keep({ ...identity, submission });
  } else {
    await base.audited;
    reporter.say("info", "resumed", `round ${round.number}: sending the submission made before the restart`, {
      round: round.number,
    });
  }
  const ready = deps.clock();
  await deps.replicate(cidFromDigest(submission.sharesCid));
  const started = deps.clock();
  // Before it is sent: a submission that comes too late says how much too late.
  if (made !== undefined) await deps.times.keep({ ...made.work, replicatingSeconds: (started - ready) / 1000 });
  if (deps.relay !== undefined && (await deps.relay(round.number, submission))) {
    reporter.say("good", "accepted", `round ${round.number}: accepted by the contract, in a relayed batch`, {
      round: round.number,
      milliseconds: Math.round(deps.clock() - started),
    });
    return true;
  }
  const receipt = await submitUnlessRelayed(chain, round.number, submission);
  if (receipt === undefined) return true;
  reporter.say("good", "accepted", `round ${round.number}: accepted by the contract, ${receipt.gasUsed} gas`, {
    round: round.number,
    gas: receipt.gasUsed,
    transaction: receipt.transactionHash,
    milliseconds: Math.round(deps.clock() - started),
  });
  return true;
}

/** Sends the submission; undefined if a relayer's copy came first. @throws CHAIN_REVERTED */
async function submitUnlessRelayed(
  chain: TaskWriter,
  round: bigint,
  submission: Submission,
): Promise<Receipt | undefined> {
  try {
    return await chain.submit(round, submission);
  } catch (error) {
    if (!isVerisumError(error, "CHAIN_REVERTED") || (await chain.client(chain.account)).lastSubmittedRound !== round)
      throw error;
    return undefined;
  }
}

interface MadeSubmission {
  readonly submission: Submission;
  readonly work: Pick<ClientWork, "trainingSeconds" | "provingSeconds">;
}

/**
 * Trains, commits, encrypts the shares, stores the bundle locally and proves. Nothing has left the machine when it
 * returns.
 */
async function makeSubmission(
  deps: ParticipantDependencies,
  records: RoundRecords,
  weight: number,
  model: BaseModel,
): Promise<MadeSubmission> {
  const { chain, task, prover, learner, random, reporter } = deps;
  const opened = records.opened!;
  const begun = deps.clock();
  const base = await model.state();
  reporter.say("info", "training", `round ${opened.round}: training on local data`, { round: opened.round });
  const update = await learner.update(base, opened.round);
  const trained = deps.clock();
  // Not before: whether noise fits is found out once, and everything from here on is for others.
  await model.audited;
  const quantised = learner.quantise(update, base);

  let started = deps.clock();
  const committed = await commitUpdate(task.layout, task.parameters, quantised, {
    committer: task.committer,
    random,
  });
  const files = await sealShares(deps, committed, opened.round, opened.keyMask);
  const sharesCid = digestHexOfCid(await task.store.putDirectory(files)) as Hex;
  reporter.say(
    "info",
    "committed",
    `round ${opened.round}: committed and encrypted ${Object.keys(files).length} shares`,
    {
      round: opened.round,
      milliseconds: Math.round(deps.clock() - started),
      bytes: Object.values(files).reduce((sum, file) => sum + file.length, 0),
    },
  );

  started = deps.clock();
  const context = {
    ...chain.context,
    round: opened.round,
    client: chain.account,
    weight,
    parametersHash: task.parametersHash,
    baseModelDigest: opened.baseModelDigest,
    normBoundSquared: task.parameters.normBoundSquared,
  };
  const submission = await proveUpdate(task.layout, context, committed, sharesCid, {
    committer: task.committer,
    prover,
  });
  // A proving key or witness program that is not what it should be can leak, or waste the round: the operator supplies
  // them.
  deps.verifyOwn(records, {
    round: opened.round,
    client: chain.account,
    index: 0,
    weight,
    submission,
    transactionHash: "0x",
  });
  reporter.say(
    "info",
    "proven",
    `round ${opened.round}: proved the norm bound in ${((deps.clock() - started) / 1000).toFixed(1)} s`,
    {
      round: opened.round,
      milliseconds: Math.round(deps.clock() - started),
      chunks: submission.chunks.length,
    },
  );
  const work = { trainingSeconds: (trained - begun) / 1000, provingSeconds: (deps.clock() - trained) / 1000 };
  return { submission, work };
}

/** One file for each seat that has a key this round; a seat with an unusable key gets none and cannot attest. */
async function sealShares(
  deps: ParticipantDependencies,
  committed: CommittedUpdate,
  round: bigint,
  keyMask: bigint,
): Promise<Record<string, Uint8Array>> {
  const { chain, random, reporter } = deps;
  const files: Record<string, Uint8Array> = {};
  for (const [index, share] of committed.shares.entries()) {
    const seat = index + 1;
    if (((keyMask >> BigInt(index)) & 1n) === 0n) continue;
    const publicKey = await announcedKey(chain, round, seat);
    try {
      files[shareFileName(seat)] = await sealShare(
        committed.sharing.seeds[index] ?? share,
        publicKey,
        { ...chain.context, round, client: chain.account, seat },
        random,
      );
    } catch (error) {
      if (!isVerisumError(error, "ROUND_KEY_INVALID")) throw error;
      reporter.say("warn", "unusable-key", `round ${round}: the key of seat ${seat} is unusable; it gets no share`, {
        round,
        seat,
      });
    }
  }
  return files;
}

/**
 * The key of a seat that had one when the round opened.
 * @throws CHAIN_EVENTS_MISSING if the endpoint does not know it: a view of the past is not the seat's fault
 */
async function announcedKey(chain: TaskWriter, round: bigint, seat: number): Promise<Uint8Array> {
  const key = fromHex(await chain.roundKey(round, seat));
  if (key.some((byte) => byte !== 0)) return key;
  throw new VerisumError(
    "CHAIN_EVENTS_MISSING",
    `round ${round} opened with a key of seat ${seat}, and the endpoint has none`,
    { round, seat },
  );
}
