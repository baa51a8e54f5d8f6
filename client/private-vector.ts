/**
 * The vector that a client shares of a base model: drawn once, and shared as it is until a settlement counts it
 * (docs/protocol.md, section 4).
 */
import type { TaskReader } from "../chain/task-chain.ts";
import { hasClient } from "../protocol/committee.ts";
import { ensure } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { Journal, PrivateVector, SubmissionName, VectorName } from "./journal.ts";
import type { BaseModel, LocalLearner } from "./make-submission.ts";
import { assertBudgetLeft } from "./privacy-ledger.ts";

export interface VectorDependencies {
  readonly chain: Pick<TaskReader, "records" | "finalisedRounds"> & { readonly account: Hex };
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

/**
 * Trains on the base, and draws its vector. What training gave is encoded, and noise committed to, only when the base's
 * audit has passed; the vector is kept before anybody can see anything of it.
 * @param round the first one that may share it
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
    firstRound: round,
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
 * the same vector would tell its clients apart. Undefined if another one may be drawn.
 * @throws ROUND_RECORD_DAMAGED; CHAIN_EVENTS_MISSING
 */
export async function unsettledVector(
  { chain, journal }: Pick<VectorDependencies, "chain" | "journal">,
  baseModelDigest: Hex,
): Promise<PrivateVector | undefined> {
  const last = (await journal.vectors()).findLast((name) => name.baseModelDigest === baseModelDigest);
  if (last === undefined) return undefined;
  for (const name of await journal.submissions())
    if (isOfVector(name, last) && (await isSettledWith(chain, name.round))) return undefined;
  return journal.vector(last);
}

/** Whether a submission shared this vector, of the last one of its base. */
function isOfVector({ round, baseModelDigest }: SubmissionName, vector: VectorName): boolean {
  return baseModelDigest === vector.baseModelDigest && round >= vector.firstRound;
}

/** Whether the round's settlement counts this client. */
async function isSettledWith({ records, account }: VectorDependencies["chain"], round: bigint): Promise<boolean> {
  const { settled, submitted } = await records(round);
  const own = submitted.find(({ client }) => client === account);
  return settled !== undefined && own !== undefined && hasClient(settled.included, own.index);
}
