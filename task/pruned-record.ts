/** `pruned.json`: what a node has removed, and what it will remove. */
import { z } from "zod";
import { isDirectoryCid } from "../content/cid.ts";
import { encodeRecord, readRecordOrNull, writeDurably } from "../storage/durable-file.ts";

const decimal = z.string().regex(/^[0-9]+$/);
const byRound = z.record(decimal, z.array(z.string().refine(isDirectoryCid)));
/** The earlier form kept what members had released, and called it `sums`. */
const recordSchema = z.union([
  z.strictObject({ round: decimal, seen: byRound }),
  z
    .strictObject({ round: decimal, sums: byRound.optional() })
    .transform(({ round, sums }) => ({ round, seen: sums ?? {} })),
]);

/** Directories by the round in which the node saw them first. */
export type SeenByRound = ReadonlyMap<bigint, ReadonlySet<string>>;

export interface Pruned {
  /** The last round whose content was removed. */
  readonly round: bigint;
  /** Bundles and sums that no transaction may ever name, and what was only read. */
  readonly seen: SeenByRound;
}

/** A damaged record costs a look at rounds that were looked at before; what it listed counts as first seen now. */
export async function readPruned(path: string): Promise<Pruned> {
  const parsed = recordSchema.safeParse(await readRecordOrNull(path));
  if (!parsed.success) return { round: 0n, seen: new Map() };
  const { round, seen } = parsed.data;
  return {
    round: BigInt(round),
    seen: new Map(Object.entries(seen).map(([first, cids]) => [BigInt(first), new Set(cids)])),
  };
}

export async function writePruned(path: string, { round, seen }: Pruned): Promise<void> {
  const lists = [...seen].map(([first, cids]) => [first.toString(), [...cids]] as const);
  await writeDurably(path, encodeRecord({ round: round.toString(), seen: Object.fromEntries(lists) }));
}

/** With more that was seen in a round; the same if there is nothing more. */
export function withSeen(seen: SeenByRound, round: bigint, cids: readonly string[]): SeenByRound {
  const known = seen.get(round) ?? new Set();
  const added = cids.filter((cid) => !known.has(cid));
  return added.length === 0 ? seen : new Map([...seen, [round, new Set([...known, ...added])]]);
}
