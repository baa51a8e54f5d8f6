/** The directories that rounds still need, or an audit. */
import type { RoundResult, TaskLook } from "../chain/task-chain.ts";
import { cidFromDigest } from "../content/cid.ts";

export interface Audited {
  /** Chains of the task's other cells: their results are audited with this one's. */
  readonly siblings: readonly { look(): Promise<Pick<TaskLook, "results">> }[];
  /** Directories besides results that an audit reads. */
  readonly audited: readonly string[];
}

/** Directories that an audit reads: the task's own, and the results of this cell and of the others. */
export async function auditedIn(
  { audited, siblings }: Audited,
  look: Pick<TaskLook, "results">,
): Promise<readonly string[]> {
  const looks = [look, ...(await Promise.all(siblings.map((sibling) => sibling.look())))];
  return [...audited, ...looks.flatMap((of) => of.results()).flatMap(cidsOf)];
}

/** The directories of a result. */
export function cidsOf({ aggregateCid, modelCid }: Pick<RoundResult, "aggregateCid" | "modelCid">): readonly string[] {
  return [aggregateCid, modelCid].map((digest) => cidFromDigest(digest));
}

/** Bundles and sums that the chain names in a round. */
export function namedIn(look: Pick<TaskLook, "records">, round: bigint): readonly string[] {
  const { submitted, released } = look.records(round);
  return [
    ...submitted.map(({ submission }) => cidFromDigest(submission.sharesCid)),
    ...released.map(({ releaseCid }) => cidFromDigest(releaseCid)),
  ];
}

/** The same of the rounds after `due`, whose content is kept. */
export function namedSince(look: Pick<TaskLook, "records" | "round">, due: bigint): readonly string[] {
  const cids: string[] = [];
  for (let round = due < 0n ? 1n : due + 1n; round <= look.round.number; round += 1n)
    cids.push(...namedIn(look, round));
  return cids;
}
