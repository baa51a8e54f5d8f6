/** What a submission is made for, and whether the round is still that. */
import type { RoundRecords, TaskReader } from "../chain/task-chain.ts";
import { hasSeat } from "../protocol/committee.ts";
import { VerisumError } from "../protocol/errors.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";
import { requireOpened } from "../task/round-records.ts";
import type { SubmissionTarget } from "./journal.ts";

export interface TargetDependencies {
  readonly chain: Pick<TaskReader, "client" | "records" | "roundKey"> & { readonly account: Hex };
  readonly task: {
    readonly parameters: Pick<TaskParameters, "committeeSize" | "maxStaleness">;
    readonly parametersHash: Hex;
  };
}

/** A model by its number and its digest. */
export type BaseName = Pick<SubmissionTarget, "base" | "baseModelDigest">;

/** What a submission is made for but the round's keys, of which each caller has its own. */
type WithoutKeys = Omit<SubmissionTarget, "roundKeys">;

/** The round key of a seat that has none. */
export const NO_KEY: Hex = `0x${"00".repeat(32)}`;

/**
 * What a submission to the round would be made for now.
 * @param base the latest model unless told
 * @throws CHAIN_EVENTS_MISSING, chain errors
 */
export async function targetIn(
  { chain, task }: TargetDependencies,
  records: RoundRecords,
  base: BaseName = latestIn(records),
): Promise<SubmissionTarget> {
  const { round, keyMask } = requireOpened(records);
  const roundKeys = await ofSeats(task, (seat) =>
    hasSeat(keyMask, seat) ? announcedKey(chain, round, seat) : Promise.resolve(NO_KEY),
  );
  return { ...(await withoutKeys({ chain, task }, round, base)), roundKeys };
}

/**
 * What a submission to a round that has not opened would be made for, if it opened with the keys that are there.
 * @throws chain errors
 */
export async function targetAhead(
  { chain, task }: TargetDependencies,
  round: bigint,
  base: BaseName,
): Promise<SubmissionTarget> {
  const roundKeys = await ofSeats(task, (seat) => chain.roundKey(round, seat));
  return { ...(await withoutKeys({ chain, task }, round, base)), roundKeys };
}

/** Whether what was made for one may be sent for the other. */
export function isSameTarget(a: SubmissionTarget, b: SubmissionTarget): boolean {
  return (
    a.round === b.round && a.base === b.base && a.baseModelDigest === b.baseModelDigest && changesOf(a, b).length === 0
  );
}

async function withoutKeys(
  { chain, task }: TargetDependencies,
  round: bigint,
  { base, baseModelDigest }: BaseName,
): Promise<WithoutKeys> {
  const { weight } = await chain.client(chain.account);
  return { round, base, baseModelDigest, parametersHash: task.parametersHash, weight };
}

function ofSeats(
  { parameters }: TargetDependencies["task"],
  keyOf: (seat: number) => Promise<Hex>,
): Promise<readonly Hex[]> {
  return Promise.all(Array.from({ length: parameters.committeeSize }, (_, i) => keyOf(i + 1)));
}

function latestIn(records: RoundRecords): BaseName {
  const { baseModel: base, baseModelDigest } = requireOpened(records);
  return { base, baseModelDigest };
}

/**
 * @throws CHAIN_REORGANISED if the round takes no update of this model, or the chain has another one of its number;
 * CHAIN_EVENTS_MISSING
 */
export function requireBase(
  records: RoundRecords,
  { base, baseModelDigest }: BaseName,
  { maxStaleness }: Pick<TaskParameters, "maxStaleness">,
): void {
  const { round, baseModel } = requireOpened(records);
  const isTaken = base <= baseModel && baseModel - base <= maxStaleness;
  if (isTaken && records.bases.get(base) === baseModelDigest) return;
  throw new VerisumError(
    "CHAIN_REORGANISED",
    `round ${round} takes no update of model ${base} as this client knows it`,
    {
      round,
      base,
    },
  );
}

/**
 * A reorganisation may have changed what a submission was made for. Another one would be a second noisy copy of the
 * same data: the round is sat out for as long as it stays so.
 * @throws ROUND_EQUIVOCATION; CHAIN_REORGANISED if the base model is another one now; CHAIN_EVENTS_MISSING
 */
export async function requireFit(deps: TargetDependencies, kept: SubmissionTarget): Promise<void> {
  const records = await deps.chain.records(kept.round);
  requireBase(records, kept, deps.task.parameters);
  const now = await targetIn(deps, records, kept);
  const changed = changesOf(kept, now);
  if (changed.length === 0) return;
  const { round } = kept;
  throw new VerisumError(
    "ROUND_EQUIVOCATION",
    `the submission made for round ${round} no longer fits it: the ${changed.join(" and the ")} changed; no second one is made`,
    { round },
  );
}

/** What differs between two targets of one round and one base, in words. */
function changesOf(kept: SubmissionTarget, now: SubmissionTarget): readonly string[] {
  const changes = {
    parameters: kept.parametersHash !== now.parametersHash,
    "client's weight": kept.weight !== now.weight,
    "members' keys": kept.roundKeys.join() !== now.roundKeys.join(),
  };
  return Object.entries(changes).flatMap(([what, isOther]) => (isOther ? [what] : []));
}

/**
 * The key of a seat that had one when the round opened.
 * @throws CHAIN_EVENTS_MISSING if the endpoint does not know it: a view of the past is not the seat's fault
 */
async function announcedKey(chain: TargetDependencies["chain"], round: bigint, seat: number): Promise<Hex> {
  const key = await chain.roundKey(round, seat);
  if (key !== NO_KEY) return key;
  throw new VerisumError(
    "CHAIN_EVENTS_MISSING",
    `round ${round} opened with a key of seat ${seat}, and the endpoint has none`,
    { round, seat },
  );
}
