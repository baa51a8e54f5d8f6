/**
 * The vector that a client shares of a base model: drawn once, and shared as it is until a settlement counts it
 * (docs/protocol.md, section 4).
 */
import type { TaskLook, TaskReader } from "../chain/task-chain.ts";
import { hasClient } from "../protocol/committee.ts";
import { ensure } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { Journal, PrivateVector, SubmissionName, VectorName } from "./journal.ts";
import type { BaseModel, LocalLearner } from "./make-submission.ts";
import { assertBudgetLeft } from "./privacy-ledger.ts";

export interface VectorDependencies {
  readonly chain: Pick<TaskReader, "finalisedRounds"> & { readonly account: Hex };
  readonly task: Parameters<typeof assertBudgetLeft>[0]["task"] & {
    readonly parameters: Pick<TaskParameters, "maxStaleness">;
  };
  readonly journal: Pick<Journal, "vectors" | "vector" | "keepVector" | "submissions">;
  readonly learner: LocalLearner;
  readonly reporter: Reporter;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

export interface DrawnVector {
  readonly vector: PrivateVector;
  readonly trainingSeconds: number;
}

/** A vector that is not shared yet: by the final blocks this round may still count it, whatever later ones say. */
export interface HeldBack {
  readonly heldBy: bigint;
}

/** What a look says of rounds that took a vector. */
export type RoundsLook = Pick<TaskLook, "round" | "closedRound" | "finalBlock" | "records">;

/**
 * Trains on the base, and draws its vector. What training gave is encoded, and noise committed to, only when the base's
 * audit has passed; the vector is kept before anybody can see anything of it.
 * @param round the one that it is trained for
 * @param secondsLeft for training, asked when it begins
 * @returns undefined if no round takes an update of this base any more: nothing is drawn then
 * @throws PRIVACY_BUDGET_SPENT; what the audit, training and encoding throw; storage errors
 */
export async function drawVector(
  deps: VectorDependencies,
  base: BaseModel,
  round: bigint,
  secondsLeft: () => Promise<number>,
): Promise<DrawnVector | undefined> {
  const { chain, task, journal, learner, reporter, clock } = deps;
  await assertBudgetLeft(deps);
  const state = await base.state();
  const begun = clock();
  reporter.say("info", "training", `round ${round}: training on local data`, { round });
  const update = await learner.update(state, round, { baseDigest: base.digest, secondsLeft: await secondsLeft() });
  const trainingSeconds = (clock() - begun) / 1000;
  // Not before: whether noise fits is found out once, and everything from here on is for others.
  await base.audited;
  const staleness = (await chain.finalisedRounds()) - Number(base.number);
  // Behind a negative one is a reorganisation, and a scale above 1.
  ensure(staleness >= 0, "CHAIN_REORGANISED", `model ${base.number} is not on the chain any more`, {
    base: base.number,
  });
  if (staleness > task.parameters.maxStaleness) return undefined;
  const vector = {
    base: base.number,
    firstRound: await firstRoundOf(journal, base.digest),
    baseModelDigest: base.digest,
    coordinates: learner.quantise(update, state, staleness),
  };
  await journal.keepVector(vector);
  reporter.say(
    "info",
    "drawn",
    `model ${vector.base}: trained in ${trainingSeconds.toFixed(1)} s, in which ${staleness} newer models were made`,
    { base: vector.base, staleness, milliseconds: Math.round(trainingSeconds * 1000) },
  );
  return { vector, trainingSeconds };
}

/**
 * The last vector of this base, unless a settlement counts it: its sum may be known to others, and a second sum with
 * the same vector would tell its clients apart. Undefined if another one may be drawn. Both follow from final blocks
 * alone: a reorganisation that settles a round which the latest block shows as aborted puts no vector into two sums.
 * @throws ROUND_RECORD_DAMAGED; CHAIN_EVENTS_MISSING
 */
export async function unsettledVector(
  { chain, journal }: Pick<VectorDependencies, "chain" | "journal">,
  look: RoundsLook,
  baseModelDigest: Hex,
): Promise<PrivateVector | HeldBack | undefined> {
  const last = (await journal.vectors()).findLast((name) => name.baseModelDigest === baseModelDigest);
  if (last === undefined) return undefined;
  const rounds = (await journal.submissions()).filter((name) => isOfVector(name, last)).map(({ round }) => round);
  const heldBy = rounds.find((round) => !isCollecting(look, round) && !isDecided(look, round));
  if (heldBy !== undefined) return { heldBy };
  return rounds.some((round) => isSettledWith(look, round, chain.account)) ? undefined : journal.vector(last);
}

export function isHeldBack(value: unknown): value is HeldBack {
  return typeof value === "object" && value !== null && "heldBy" in value;
}

/**
 * After every round that a vector of this base was shared in, so that no round is of two vectors. A reorganisation may
 * bring back an earlier round than the one that it is drawn in, but none before the settlement that made room for it.
 */
async function firstRoundOf(journal: Pick<Journal, "submissions">, baseModelDigest: Hex): Promise<bigint> {
  const last = (await journal.submissions()).findLast((name) => name.baseModelDigest === baseModelDigest);
  return (last?.round ?? 0n) + 1n;
}

/** Whether a submission shared this vector, of the last one of its base. */
function isOfVector({ round, baseModelDigest }: SubmissionName, vector: VectorName): boolean {
  return baseModelDigest === vector.baseModelDigest && round >= vector.firstRound;
}

/** In the round that collects the vector is where it was. */
function isCollecting({ round: { number, phase } }: RoundsLook, round: bigint): boolean {
  return phase === "Collecting" && number === round;
}

/** Whether what the round counts can change no more: it is over for good, or its settlement is final. */
function isDecided({ closedRound, finalBlock, records }: RoundsLook, round: bigint): boolean {
  if (round <= closedRound) return true;
  const { settled } = records(round);
  return settled !== undefined && settled.blockNumber <= finalBlock;
}

/** Whether the round's settlement counts this client. */
function isSettledWith({ records }: RoundsLook, round: bigint, account: Hex): boolean {
  const { settled, submitted } = records(round);
  const own = submitted.find(({ client }) => client === account);
  return settled !== undefined && own !== undefined && hasClient(settled.included, own.index);
}
