/** What a client does next, given the state of the chain. */
import type { ModelRecord, RoundState } from "../chain/task-chain.ts";
import type { ContinuedAudit } from "../auditor/continued-audit.ts";
import { once } from "../protocol/once.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { VerisumError } from "../protocol/errors.ts";
import type { ModelState } from "../protocol/model.ts";
import type { Hex } from "../protocol/transcript.ts";
import { loadModelState } from "../task/checkpoint.ts";
import { auditModel } from "./model-audit.ts";
import { submitUpdate } from "./participant.ts";
import type { BaseModel, ParticipantDependencies } from "./participant.ts";

export interface ClientLoopDependencies extends ParticipantDependencies, ContinuedAudit {
  /** Called with each finalised model that this client sees first, which may still be under audit. */
  readonly onModel?: (round: bigint, model: ModelState) => Promise<void>;
}

/** What one look led to. `done` when the task has no further round. */
export type ClientProgress = "waiting" | "acted" | "done";

/** What became of this client's part in a round. */
type Outcome = "submitted" | "left-out";

/** Why there is nothing to submit now. */
interface Pause {
  readonly progress: "waiting" | "done";
  readonly text: string;
  readonly round: bigint;
}

/**
 * One look at the chain and at most one action.
 *
 * The audit of a new model begins at once. The client may train on the model meanwhile, which costs time and tells
 * nobody anything; it encodes the update, shares it and sends it only when the audit has passed. A round that refuses
 * its submission is left; the next one is joined.
 * @throws AUDIT_FAILED if a published round does not follow from the chain, CELLS_DIVERGED if a sibling cell left the
 * group: the task must end; CHAIN_REORGANISED if the model changed while it was audited; what is away, by its own code
 */
export function createClientStep(deps: ClientLoopDependencies): () => Promise<ClientProgress> {
  const finished = new Map<bigint, Outcome>();
  let base: BaseModel | undefined;
  let shown: Hex | undefined;
  let ahead: bigint | undefined;

  /** The newest model, its audit begun. A look that was broken off leaves no model that counts as audited. */
  const begin = (latest: ModelRecord): BaseModel => {
    const audited = auditModel(deps, latest);
    const begun: BaseModel = { digest: latest.digest, audited, state: once(() => load(latest)) };
    audited.catch(() => {
      if (base === begun) base = undefined;
    });
    return begun;
  };
  const load = ({ cid, digest }: ModelRecord): Promise<ModelState> => loadModelState(deps.task, cid, digest);

  return async () => {
    const { chain, reporter } = deps;
    const round = await chain.round();
    const latest = await chain.latestModel();
    if (base?.digest !== latest.digest) base = begin(latest);
    const current = base;
    const pause = await pauseOf(deps, round, finished);
    if (pause !== undefined) await current.audited;
    if (deps.onModel !== undefined && shown !== latest.digest) {
      await deps.onModel(latest.round, await current.state());
      shown = latest.digest;
    }
    if (pause !== undefined) {
      if (isWithCommittee(round) && ahead !== round.number) {
        await deps.verifyAhead(round.number);
        ahead = round.number;
      }
      if (pause.progress === "waiting") reporter.wait(pause.text, { round: pause.round });
      return pause.progress;
    }
    let outcome: Outcome = "submitted";
    try {
      await submitUpdate(deps, round, current);
    } catch (error) {
      // A refused submission or a missed deadline costs this round only.
      if (!isVerisumError(error)) throw error;
      const isLate = isUnsent(error) && !isCollecting(await chain.round(), round.number);
      if (!isLate && error.code !== "CHAIN_REVERTED" && error.entry.role !== "sit-out") throw error;
      outcome = "left-out";
      const [event, text] = isLate
        ? ["late", `its submissions were over before this client's was there: ${await deps.times.whyLate()}`]
        : ["refused", `refused: ${error.message}`];
      reporter.say("error", event, `round ${round.number}: ${text}`, {
        round: round.number,
        code: error.code,
        reason: String(error.details.error ?? error.code),
      });
    }
    finished.set(round.number, outcome);
    await deps.times.warn();
    return "acted";
  };
}

/** Undefined if this client can submit to the round. */
async function pauseOf(
  { chain, task }: ClientLoopDependencies,
  { number, phase, submitted, expected }: RoundState,
  finished: ReadonlyMap<bigint, Outcome>,
): Promise<Pause | undefined> {
  const { maxRounds } = task.parameters;
  const waiting = (text: string, round = number): Pause => ({ progress: "waiting", text, round });
  const ended = phase === "Finalised" || phase === "Aborted";
  if (ended && maxRounds > 0 && (await chain.finalisedRounds()) >= maxRounds)
    return { progress: "done", text: "the task has no further round", round: number };
  if (ended || phase === "Idle") return waiting(`waiting for round ${number + 1n} to open`);
  if (phase !== "Collecting") return waiting(`round ${number}: ${phase}, waiting for the committee`);
  const { activeFromRound, lastSubmittedRound } = await chain.client(chain.account);
  if (activeFromRound > number)
    return waiting(`registered; taking part from round ${activeFromRound}`, activeFromRound);
  if (lastSubmittedRound !== number && finished.get(number) === "left-out")
    return waiting(`round ${number}: this client is not in it; waiting for the next one`);
  if (finished.has(number) || lastSubmittedRound === number)
    return waiting(`round ${number}: submitted; ${submitted}/${expected} clients are in`);
  return undefined;
}

/** The contract refused the submission, or it was not mined before the phase ended. */
function isUnsent({ code }: VerisumError): boolean {
  return code === "CHAIN_REVERTED" || code === "CHAIN_TRANSACTION_LOST";
}

function isCollecting({ number, phase }: RoundState, round: bigint): boolean {
  return number === round && phase === "Collecting";
}

/** The submissions are all in, and the committee is at work. */
function isWithCommittee({ phase }: RoundState): boolean {
  return phase === "Attesting" || phase === "Aggregating";
}
