/** One client's part in one round: its submission is made once, and sent until it is there. */
import type { Receipt, RoundRecords, RoundState, TaskWriter } from "../chain/task-chain.ts";
import { cidFromDigest } from "../content/cid.ts";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import type { Submission } from "../protocol/submission.ts";
import type { ClientWork } from "../task/windows.ts";
import type { Journal, JournalEntry, PrivateVector } from "./journal.ts";
import { makeSubmission } from "./make-submission.ts";
import type { BaseModel, MakingDependencies } from "./make-submission.ts";
import { drawVector, isHeldBack, unsettledVector } from "./private-vector.ts";
import type { HeldBack, RoundsLook, VectorDependencies } from "./private-vector.ts";
import type { Made, Preparation } from "./preparation.ts";
import type { SendThroughRelay } from "./relay.ts";
import { requireBase, requireFit, targetIn } from "./target.ts";
import type { WorkTimes } from "./work-times.ts";

export interface ParticipantDependencies extends MakingDependencies, VectorDependencies {
  readonly chain: TaskWriter;
  readonly task: MakingDependencies["task"];
  readonly journal: Journal;
  /** Copies a published directory to other parties; throws if fewer than enough hold it. */
  readonly replicate: (cid: string) => Promise<void>;
  /** Sends through others first; absent if the client sends its own transactions only. */
  readonly relay?: SendThroughRelay;
  readonly times: WorkTimes;
}

/** A vector, and how long training for this round took, if it did. */
interface SharedVector {
  readonly vector: PrivateVector;
  readonly trainingSeconds?: number;
}

/**
 * Submits to a collecting round, if the chain does not have this client's submission. What was made for the round and
 * the vector's base is sent again as it was, however often the chain loses it; if it no longer fits, nothing is sent.
 * Nothing is encoded, shared or sent before the newest model's audit has passed.
 *
 * @param look at a block in which the round collects
 * @param newest on which a client trains that holds no vector
 * @param held the vector to share; absent where rounds wait for everybody, and it is drawn for the round
 * @param preparation of what may have been made before the round opened
 * @returns true if the contract accepted it now, false if it had already; why the vector is not shared yet
 * @throws CHAIN_REVERTED if the contract refuses; UPDATE_NOISE_OVER_BOUND if this round's noise does not fit;
 * ROUND_SAT_OUT if the client sat it out before, also before a restart; ROUND_EQUIVOCATION if what was made no longer
 * fits; CHAIN_REORGANISED if the round takes no update of this base; CHAIN_EVENTS_MISSING; what the audit throws;
 * store, training and proving errors
 */
export async function submitUpdate(
  deps: ParticipantDependencies,
  look: RoundsLook,
  newest: BaseModel,
  held?: PrivateVector,
  preparation?: Preparation,
): Promise<boolean | HeldBack> {
  const { chain, task, journal, reporter } = deps;
  const { round } = look;
  const base = held ?? { base: newest.number, baseModelDigest: newest.digest };
  const records = await chain.records(round.number);
  requireBase(records, base, task.parameters);
  if ((await chain.client(chain.account)).lastSubmittedRound === round.number) return false;
  const kept = await journal.find(round.number, base.baseModelDigest);
  if (kept !== undefined) {
    await newest.audited;
    await requireFit(deps, kept);
    reporter.say("info", "resumed", `round ${round.number}: sending the submission that was made for it before`, {
      round: round.number,
    });
    return send(deps, kept);
  }
  await requireNotSatOut(journal, round.number);
  const begun = deps.clock();
  return sittingOut(journal, round.number, async () => {
    const drawn = held === undefined ? await vectorFor(deps, look, newest) : { vector: held, trainingSeconds: 0 };
    if (isHeldBack(drawn)) return drawn;
    await newest.audited;
    return shareVector(deps, records, drawn, begun, preparation);
  });
}

/** Notes that the round is sat out, if what is done for it ends in an error that means so. */
export async function sittingOut<T>(journal: Journal, round: bigint, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isVerisumError(error) && error.entry.role === "sit-out") await journal.sitOut(round);
    throw error;
  }
}

async function requireNotSatOut(journal: Journal, round: bigint): Promise<void> {
  if (await journal.satOut(round))
    throw new VerisumError(
      "ROUND_SAT_OUT",
      "this round is sat out: its noise did not fit, its training failed, or the state is a copy; nothing is made for it again",
    );
}

/** Where rounds wait for everybody: the vector that an earlier round could not use, or another one. */
async function vectorFor(
  deps: ParticipantDependencies,
  look: RoundsLook,
  base: BaseModel,
): Promise<SharedVector | HeldBack> {
  const { round } = look;
  const vector = await unsettledVector(deps, look, base.digest);
  if (isHeldBack(vector)) return vector;
  if (vector === undefined) {
    const drawn = await drawVector(deps, base, round.number, () => secondsToTrain(deps, round));
    if (drawn !== undefined) return drawn;
    throw new VerisumError("ROUND_NOT_COLLECTING", `round ${round.number} was over before the update was there`, {
      round: round.number,
    });
  }
  deps.reporter.say("info", "shared-again", `round ${round.number}: sharing what was drawn for the same model before`, {
    round: round.number,
    firstRound: vector.firstRound,
  });
  return { vector };
}

/** Makes the round's submission of a vector if it is not made, keeps and sends it. @param begun work for the round */
async function shareVector(
  deps: ParticipantDependencies,
  records: RoundRecords,
  { vector, trainingSeconds }: SharedVector,
  begun: number,
  preparation: Preparation | undefined,
): Promise<boolean> {
  const target = await targetIn(deps, records, vector);
  const make = async (): Promise<Made> => {
    const submission = await makeSubmission(deps, target, vector);
    return { submission, provingSeconds: (deps.clock() - begun) / 1000 - (trainingSeconds ?? 0) };
  };
  const { submission, provingSeconds } = preparation?.take(target, vector) ?? (await make());
  const entry = { ...target, submission };
  await deps.journal.keep(entry);
  await requireFit(deps, entry);
  return send(deps, entry, trainingSeconds === undefined ? undefined : { trainingSeconds, provingSeconds });
}

/** Seconds until training must end, so that there is time to prove and send before the round's submissions are over. */
async function secondsToTrain({ chain, times }: ParticipantDependencies, { deadline }: RoundState): Promise<number> {
  const left = deadline - (await chain.blockTime());
  return Math.max(0, left - (await times.reservedSeconds(left)));
}

/** Sends what is kept. @param work what making it took, if it was made just now */
async function send(
  deps: ParticipantDependencies,
  kept: JournalEntry,
  work?: Pick<ClientWork, "trainingSeconds" | "provingSeconds">,
): Promise<boolean> {
  const { chain, reporter } = deps;
  const { round, submission } = kept;
  const ready = deps.clock();
  await deps.replicate(cidFromDigest(submission.sharesCid));
  const started = deps.clock();
  // Before it is sent: a submission that comes too late says how much too late.
  if (work !== undefined) await deps.times.keep({ ...work, replicatingSeconds: (started - ready) / 1000 });
  if (deps.relay !== undefined && (await deps.relay(round, submission))) {
    reporter.say("good", "accepted", `round ${round}: accepted by the contract, in a relayed batch`, {
      round,
      milliseconds: Math.round(deps.clock() - started),
    });
    return true;
  }
  const receipt = await submitUnlessRelayed(chain, round, submission);
  if (receipt === undefined) return true;
  reporter.say("good", "accepted", `round ${round}: accepted by the contract, ${receipt.gasUsed} gas`, {
    round,
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
