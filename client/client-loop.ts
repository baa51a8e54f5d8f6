/** What a client does next, given the state of the chain. */
import type { ModelRecord, RoundState, TaskLook } from "../chain/task-chain.ts";
import type { ContinuedAudit } from "../auditor/continued-audit.ts";
import { cidFromDigest } from "../content/cid.ts";
import { once } from "../protocol/once.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { VerisumError } from "../protocol/errors.ts";
import type { ModelState } from "../protocol/model.ts";
import type { Facts } from "../protocol/reporter.ts";
import type { Hex } from "../protocol/transcript.ts";
import { loadModelState } from "../task/checkpoint.ts";
import { isBuffer } from "../task/buffers.ts";
import { roundNow } from "../task/round-now.ts";
import { createAhead } from "./ahead.ts";
import { auditModel } from "./model-audit.ts";
import { lastUndoable, ownSubmission } from "./own-submission.ts";
import { submitUpdate } from "./participant.ts";
import { isHeldBack } from "./private-vector.ts";
import type { BaseModel } from "./make-submission.ts";
import { budgetPause, heldPause, idleOf, laterOf, pauseOf, spentPause } from "./pause.ts";
import type { Pause, Refusal } from "./pause.ts";
import { createPreparation } from "./preparation.ts";
import { createRecall } from "./recall.ts";
import type { ParticipantDependencies } from "./participant.ts";

export interface ClientLoopDependencies extends ParticipantDependencies, ContinuedAudit {
  /** Called with each finalised model that this client sees first, which may still be under audit. */
  readonly onModel?: (round: bigint, model: ModelState) => Promise<void>;
  /** Copies a published directory on to every party that does not hold it, and waits for none. */
  readonly spread: (cid: string) => void;
  /** Told of each look at the chain. */
  readonly onLook?: (look: TaskLook) => Promise<void>;
  /** Ends after this many rounds that the client tried to take part in; absent, it ends with the task. */
  readonly rounds?: number;
}

/** What one look led to. `done` when nothing is left to do in the task. */
export type ClientProgress = "waiting" | "acted" | "done";

/** Why the round does not take the submission, as it is said. */
interface Reason {
  readonly level: "info" | "error";
  readonly event: string;
  readonly text: string;
  readonly facts: Facts;
}

/**
 * One look at the chain and at most one action. Whether the submission is there, the chain says at each look: if a
 * reorganisation dropped it, it is sent again as it was. A vector that an earlier round took waits until final blocks
 * say that this round does not count it.
 *
 * The audit of a new model begins at once. The client may train on the model meanwhile, which costs time and tells
 * nobody anything; it encodes the update, shares it and sends it only when the audit has passed. What it holds for the
 * next round it proves while no round takes it. A round that refuses its submission may take it at a later block, or is
 * left when its submissions are over.
 * @throws AUDIT_FAILED if a published round does not follow from the chain, CELLS_DIVERGED if a sibling cell left the
 * group: the task must end; CHAIN_REORGANISED if the model changed while it was audited; what is away, by its own code
 */
export function createClientStep(deps: ClientLoopDependencies): () => Promise<ClientProgress> {
  const counts = createRoundCount(deps);
  const ahead = isBuffer(deps.task.parameters) ? createAhead(deps) : undefined;
  const preparation = ahead && createPreparation(deps);
  const recall = createRecall(deps);
  let refusal: Refusal | undefined;
  let base: BaseModel | undefined;
  let shown: Hex | undefined;
  let verified: bigint | undefined;
  let said: string | undefined;

  const wait = ({ progress, text, round, event, facts }: Pause): ClientProgress => {
    const saying = event && `${event} ${round}`;
    if (event !== undefined && said !== saying) deps.reporter.say("info", event, text, { round, ...facts });
    said = saying ?? said;
    deps.reporter.wait(text, { round });
    return progress;
  };
  /** The newest model, its audit begun. A look that was broken off leaves no model that counts as audited. */
  const begin = ({ latestModel: latest, finalisedRounds }: TaskLook): BaseModel => {
    const audited = auditModel(deps, latest);
    const state = once(() => load(latest));
    const begun: BaseModel = { number: BigInt(finalisedRounds), digest: latest.digest, audited, state };
    audited.catch(() => {
      if (base === begun) base = undefined;
    });
    return begun;
  };
  const load = ({ cid, digest }: ModelRecord): Promise<ModelState> => loadModelState(deps.task, cid, digest);

  return async () => {
    const { chain, reporter } = deps;
    const seen = await chain.look();
    await deps.onLook?.(seen);
    await recall(seen);
    spreadShares(deps, seen);
    const look = { ...seen, round: await roundNow(seen.round, chain, deps.task.parameters) };
    const { round, latestModel: latest } = look;
    if (base?.digest !== latest.digest) base = begin(look);
    const current = base;
    if (counts.isEnough(look)) return "done";
    const entry = await pauseOf(deps, look, refusal);
    const held = await ahead?.held(look);
    const ending = entry?.progress === "done" ? entry : await spentPause(ahead, held, look);
    const trains = ahead !== undefined && ending === undefined && held === undefined && (await ahead.mayTrain(look));
    const pause = trains
      ? undefined
      : (ending ?? entry ?? idleOf(ahead, held, round.number) ?? (await laterOf(preparation, held, look)));
    if (pause !== undefined) await current.audited;
    if (deps.onModel !== undefined && shown !== latest.digest) {
      await deps.onModel(latest.round, await current.state());
      shown = latest.digest;
    }
    if (pause !== undefined) {
      if (isWithCommittee(round) && verified !== round.number) {
        await deps.verifyAhead(round.number);
        verified = round.number;
      }
      const isLong = pause.progress === "waiting" && pause.isShort !== true;
      const isReady = isLong && held !== undefined && !isHeldBack(held);
      if (isReady && (await preparation?.prepare(look, held)) === true) return "acted";
      return wait(pause);
    }
    try {
      if (trains) {
        await ahead.train(look, current);
        return "acted";
      }
      const result = isHeldBack(held) ? held : await submitUpdate(deps, look, current, held, preparation);
      if (isHeldBack(result)) {
        await current.audited;
        return wait(heldPause(round.number, result));
      }
    } catch (error) {
      if (isVerisumError(error, "PRIVACY_BUDGET_SPENT")) {
        await current.audited;
        return wait(budgetPause(round.number, await lastUndoable(chain, look)));
      }
      const reason = await refusalOf(deps, round, error);
      if (reason === undefined) throw error;
      if (reason.event === "closed") await preparation?.cameLate(round.number);
      const known = refusal?.round === round.number;
      if (!known || (refusal?.text !== reason.text && reason.facts.code !== "ROUND_SAT_OUT"))
        reporter.say(reason.level, reason.event, `round ${round.number}: ${reason.text}`, {
          round: round.number,
          ...reason.facts,
        });
      const again = !(await deps.journal.satOut(round.number));
      refusal = { round: round.number, block: look.block.hash, text: reason.text, again };
    }
    counts.tried(round.number);
    await deps.times.warn();
    return "acted";
  };
}

/** What the chain has of this client goes to every node, also after a restart, for as long as members fetch shares. */
function spreadShares({ chain, spread }: ClientLoopDependencies, look: TaskLook): void {
  const { phase } = look.round;
  const own = phase === "Collecting" || phase === "Attesting" ? ownSubmission(look, chain.account) : undefined;
  if (own !== undefined) spread(cidFromDigest(own.submission.sharesCid));
}

/** Why the round does not take the submission now; undefined if the error says something else. */
async function refusalOf(
  { chain, task, times }: ClientLoopDependencies,
  { number }: RoundState,
  error: unknown,
): Promise<Reason | undefined> {
  if (!isVerisumError(error)) return undefined;
  const facts = { code: error.code, reason: String(error.details.error ?? error.code) };
  if (isUnsent(error) && !isCollecting(await roundNow(await chain.round(), chain, task.parameters), number)) {
    if (isBuffer(task.parameters))
      return {
        level: "info",
        event: "closed",
        text: "it closed before this client's submission was there; the update goes into a later one",
        facts,
      };
    const text = `its submissions were over before this client's was there: ${await times.whyLate()}`;
    return { level: "error", event: "late", text, facts };
  }
  if (error.code !== "CHAIN_REVERTED" && error.entry.role !== "sit-out") return undefined;
  if (error.code === "TRAINER_SAT_OUT") return { level: "info", event: "sat-out", text: error.message, facts };
  return { level: "error", event: "refused", text: `refused: ${error.message}`, facts };
}

/** Counts rounds that this process tried to take part in, each once nothing can be done in it any more. */
function createRoundCount({ chain, rounds }: ClientLoopDependencies): {
  readonly tried: (round: bigint) => void;
  readonly isEnough: (look: TaskLook) => boolean;
} {
  let pending: bigint | undefined;
  let over = 0;
  /** In for good, or left out. */
  const isOver = (look: TaskLook, tried: bigint): boolean => {
    const { number, phase } = look.round;
    if (number !== tried) return number > tried;
    const own = ownSubmission(look, chain.account);
    return own === undefined ? phase !== "Collecting" : own.blockNumber <= look.records(number).finalBlock;
  };
  return {
    tried: (round) => {
      pending = round;
    },
    isEnough: (look) => {
      if (rounds === undefined || pending === undefined || !isOver(look, pending)) return false;
      // Asked again, also by a second look, the last one is enough still.
      if (over + 1 >= rounds) return true;
      pending = undefined;
      over += 1;
      return false;
    },
  };
}

/** The contract refused the submission, or it was not made or mined before the phase ended. */
function isUnsent({ code }: VerisumError): boolean {
  return code === "CHAIN_REVERTED" || code === "CHAIN_TRANSACTION_LOST" || code === "ROUND_NOT_COLLECTING";
}

function isCollecting({ number, phase }: RoundState, round: bigint): boolean {
  return number === round && phase === "Collecting";
}

/** The submissions are all in, and the committee is at work. */
function isWithCommittee({ phase }: RoundState): boolean {
  return phase === "Attesting" || phase === "Aggregating";
}
