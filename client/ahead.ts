/**
 * Training ahead of rounds: where a round does not wait for everybody, a client trains on the newest model whatever the
 * round does, and holds what it drew until a round has taken it or its base is too old (docs/protocol.md, section 6.4).
 */
import type { TaskLook } from "../chain/task-chain.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";
import { isUnderWay } from "../task/completion.ts";
import type { PrivateVector, VectorName } from "./journal.ts";
import type { BaseModel } from "./make-submission.ts";
import { firstRoundAfter, lastUndoable, ownSubmission } from "./own-submission.ts";
import type { ParticipantDependencies } from "./participant.ts";
import { sittingOut } from "./participant.ts";
import { drawVector, isHeldBack, unsettledVector } from "./private-vector.ts";
import type { HeldBack } from "./private-vector.ts";
import { hasBudgetLeft } from "./privacy-ledger.ts";

export interface Ahead {
  /**
   * The oldest vector that a round may still take, and none has; one that an earlier round may still count, if there is
   * no other. Counts those that are too old by now.
   */
  held(look: TaskLook): Promise<PrivateVector | HeldBack | undefined>;
  /** Whether there is a model to train on for a round that may take the update, and budget for its vector. */
  mayTrain(look: TaskLook): Promise<boolean>;
  /** Where nothing is held: whether no budget is left for another vector, and no round may still give one back. */
  isSpent(look: TaskLook): Promise<boolean>;
  /** Trains on the newest model, and holds its vector. @throws what `drawVector` does */
  train(look: TaskLook, newest: BaseModel): Promise<void>;
}

export function createAhead(deps: ParticipantDependencies): Ahead {
  const { chain, task, journal, reporter } = deps;
  const { parameters } = task;
  const tooOld = new Set<string>();
  let dropped = 0;

  const drop = (count: number): void => {
    dropped += count;
    if (count > 0)
      reporter.say(
        "warn",
        "dropped",
        `${count === 1 ? "an update" : `${count} updates`} came too late: the base is more than ${parameters.maxStaleness} models old; ${dropped} in all`,
        { count, dropped },
      );
  };
  /** The last vector of each base, by ascending base. */
  const lastVectors = async (): Promise<readonly VectorName[]> => {
    const byBase = new Map((await journal.vectors()).map((name) => [name.baseModelDigest, name]));
    return [...byBase.values()];
  };
  /** Undefined as well for one that was lost: something was drawn, and nothing takes its place. */
  const unsettled = async (
    look: TaskLook,
    baseModelDigest: Hex,
  ): Promise<PrivateVector | HeldBack | "lost" | undefined> => {
    try {
      return await unsettledVector(deps, look, baseModelDigest);
    } catch (error) {
      if (!isVerisumError(error, "ROUND_RECORD_DAMAGED")) throw error;
      return "lost";
    }
  };

  return {
    held: async (look) => {
      const flying = baseInFlight(look, chain.account);
      const candidates: VectorName[] = [];
      let late = 0;
      for (const name of await lastVectors()) {
        if (BigInt(look.finalisedRounds) - name.base <= parameters.maxStaleness) {
          if (digestIn(look, name.base) === name.baseModelDigest && name.base !== flying) candidates.push(name);
        } else if (!tooOld.has(name.baseModelDigest)) {
          const vector = await unsettled(look, name.baseModelDigest);
          if (isHeldBack(vector)) continue;
          tooOld.add(name.baseModelDigest);
          if (vector !== undefined) late += 1;
        }
      }
      drop(late);
      let back: HeldBack | undefined;
      for (const { baseModelDigest } of candidates) {
        const vector = await unsettled(look, baseModelDigest);
        if (vector === undefined || vector === "lost") continue;
        if (!isHeldBack(vector)) return vector;
        back ??= vector;
      }
      return back;
    },
    mayTrain: async (look) => {
      const next = nextRound(look, chain.account);
      const { activeFromRound, lastSubmittedRound } = await chain.client(chain.account);
      if (activeFromRound > next || next < firstRoundAfter(lastSubmittedRound, parameters)) return false;
      const flying = baseInFlight(look, chain.account);
      const isLast = parameters.maxRounds > 0 && look.finalisedRounds + 1 >= parameters.maxRounds;
      if (flying !== undefined && (isLast || flying === BigInt(look.finalisedRounds))) return false;
      if (await journal.satOut(next)) return false;
      return (await unsettled(look, look.latestModel.digest)) === undefined && hasBudgetLeft(deps);
    },
    isSpent: async (look) => !(await hasBudgetLeft(deps)) && (await lastUndoable(chain, look)) === undefined,
    train: async (look, newest) => {
      const round = nextRound(look, chain.account);
      const drawn = await sittingOut(journal, round, () =>
        drawVector(deps, newest, round, () => Promise.resolve(longestTraining(parameters))),
      );
      if (drawn === undefined) drop(1);
    },
  };
}

/** The round that an update made now can enter at the earliest. */
function nextRound(look: TaskLook, account: Hex): bigint {
  const { number, phase } = look.round;
  return phase === "Collecting" && ownSubmission(look, account) === undefined ? number : number + 1n;
}

/** The base of this client's update in the round that is not over. */
function baseInFlight(look: TaskLook, account: Hex): bigint | undefined {
  const { phase } = look.round;
  return isUnderWay(phase) ? ownSubmission(look, account)?.submission.base : undefined;
}

/** The digest of a model that the next round takes updates of, if the chain has it. */
function digestIn({ finalisedRounds, latestModel, round, records }: TaskLook, base: bigint): Hex | undefined {
  return base === BigInt(finalisedRounds) ? latestModel.digest : records(round.number).bases.get(base);
}

/** After as many full rounds as this no round takes the update. */
function longestTraining(parameters: TaskParameters): number {
  const { maxStaleness, collectSeconds, attestSeconds, aggregateSeconds } = parameters;
  return (maxStaleness + 1) * (collectSeconds + attestSeconds + aggregateSeconds);
}
