/** `pruned.json`: what a node has removed, and what it will remove. */
import { z } from "zod";
import { isDirectoryCid } from "../content/cid.ts";
import { encodeRecord, readRecordOrNull, writeDurably } from "../storage/durable-file.ts";

const decimal = z.string().regex(/^[0-9]+$/);
const cids = z.array(z.string().refine(isDirectoryCid));
const byRound = z.record(decimal, cids);
/** Earlier forms did not say what was shown; the first kept what members had released, and called it `sums`. */
const recordSchema = z.union([
  z.strictObject({ round: decimal, seen: byRound, results: byRound.default({}), shown: cids.default([]) }),
  z
    .strictObject({ round: decimal, sums: byRound.optional() })
    .transform(({ round, sums }) => ({ round, seen: sums ?? {}, results: {}, shown: [] })),
]);

/** Directories by round. */
export type ByRound = ReadonlyMap<bigint, ReadonlySet<string>>;

export interface Pruned {
  /** The last round whose content was removed. */
  readonly round: bigint;
  /** Bundles and sums that no transaction may ever name, and what was only read, by when the node saw them first. */
  readonly seen: ByRound;
  /** Checkpoints and aggregates that may never become final, by the round that they are of. */
  readonly results: ByRound;
  /** Those here that were final in a look at the chain: an endpoint that says otherwise later is not believed. */
  readonly shown: ReadonlySet<string>;
}

/** A damaged record costs a look at rounds that were looked at before; what it listed counts as first seen now. */
export async function readPruned(path: string): Promise<Pruned> {
  const parsed = recordSchema.safeParse(await readRecordOrNull(path));
  if (!parsed.success) return { round: 0n, seen: new Map(), results: new Map(), shown: new Set() };
  const { round, seen, results, shown } = parsed.data;
  return { round: BigInt(round), seen: decodeLists(seen), results: decodeLists(results), shown: new Set(shown) };
}

export async function writePruned(path: string, { round, seen, results, shown }: Pruned): Promise<void> {
  const lists = { seen: encodeLists(seen), results: encodeLists(results), shown: [...shown] };
  await writeDurably(path, encodeRecord({ round: round.toString(), ...lists }));
}

function decodeLists(lists: z.infer<typeof byRound>): ByRound {
  return new Map(Object.entries(lists).map(([round, cids]) => [BigInt(round), new Set(cids)]));
}

function encodeLists(lists: ByRound): z.infer<typeof byRound> {
  return Object.fromEntries([...lists].map(([round, cids]) => [round.toString(), [...cids]]));
}

/** With more of a round; the same if there is nothing more. */
export function withMore(lists: ByRound, round: bigint, cids: readonly string[]): ByRound {
  const known = lists.get(round) ?? new Set();
  const added = cids.filter((cid) => !known.has(cid));
  return added.length === 0 ? lists : new Map([...lists, [round, new Set([...known, ...added])]]);
}

/** With these as well; the same if it has all of them. */
export function withAll(known: ReadonlySet<string>, cids: readonly string[]): ReadonlySet<string> {
  return cids.every((cid) => known.has(cid)) ? known : new Set([...known, ...cids]);
}

/** Without these of the rounds up to `last`; the same if there are none. */
export function withoutOld(lists: ByRound, last: bigint, cids: ReadonlySet<string>): ByRound {
  if (cids.size === 0) return lists;
  const left = [...lists].map(
    ([round, of]) => [round, round > last ? of : new Set([...of].filter((cid) => !cids.has(cid)))] as const,
  );
  return new Map(left.filter(([, of]) => of.size > 0));
}

/** Those of the rounds up to `last`, at most so many. */
export function firstUpTo(lists: ByRound, last: bigint, most = Infinity): ReadonlySet<string> {
  return new Set([...lists].flatMap(([round, cids]) => (round <= last ? [...cids] : [])).slice(0, most));
}
