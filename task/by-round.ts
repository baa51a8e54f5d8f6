/** Lists of directories by round, as a node's records keep them. */
import { z } from "zod";
import { isDirectoryCid } from "../content/cid.ts";

export const decimalSchema = z.string().regex(/^[0-9]+$/);
export const cidsSchema = z.array(z.string().refine(isDirectoryCid));
export const byRoundSchema = z.record(decimalSchema, cidsSchema);

/** Directories by round. */
export type ByRound = ReadonlyMap<bigint, ReadonlySet<string>>;

export function decodeLists(lists: z.infer<typeof byRoundSchema>): ByRound {
  return new Map(Object.entries(lists).map(([round, cids]) => [BigInt(round), new Set(cids)]));
}

export function encodeLists(lists: ByRound): z.infer<typeof byRoundSchema> {
  return Object.fromEntries([...lists].map(([round, cids]) => [round.toString(), [...cids]]));
}

/** With more of a round; the same if there is nothing more. */
export function withMore(lists: ByRound, round: bigint, cids: readonly string[]): ByRound {
  const known = lists.get(round) ?? new Set();
  const added = cids.filter((cid) => !known.has(cid));
  return added.length === 0 ? lists : new Map([...lists, [round, new Set([...known, ...added])]]);
}

/** Without these of the rounds up to `last`; the same if there are none. */
export function withoutOld(lists: ByRound, last: bigint, cids: ReadonlySet<string>): ByRound {
  if (cids.size === 0) return lists;
  const left = [...lists].map(
    ([round, of]) => [round, round > last ? of : new Set([...of].filter((cid) => !cids.has(cid)))] as const,
  );
  return new Map(left.filter(([, of]) => of.size > 0));
}

/** Those of the rounds up to `last`, at most so many; all unless told. */
export function firstUpTo(lists: ByRound, last?: bigint, most = Infinity): readonly string[] {
  const cids = [...lists].flatMap(([round, of]) => (last === undefined || round <= last ? [...of] : []));
  return cids.slice(0, most);
}
