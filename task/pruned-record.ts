/** `pruned.json`: what a node has removed, and what it will remove. */
import { z } from "zod";
import { encodeRecord, readRecordOrNull, writeDurably } from "../storage/durable-file.ts";
import { byRoundSchema, decimalSchema, decodeLists, encodeLists } from "./by-round.ts";
import type { ByRound } from "./by-round.ts";

/** Earlier forms kept what members had released, and called it `sums`, or results. */
const recordSchema = z.union([
  z.strictObject({ round: decimalSchema, seen: byRoundSchema, results: z.unknown().optional() }),
  z
    .strictObject({ round: decimalSchema, sums: byRoundSchema.optional() })
    .transform(({ round, sums }) => ({ round, seen: sums ?? {} })),
]);

export interface Pruned {
  /** The last round whose content was removed. */
  readonly round: bigint;
  /** Bundles and sums that no transaction may ever name, and what was only read, by when the node saw them first. */
  readonly seen: ByRound;
}

/** A damaged record costs a look at rounds that were looked at before; what it listed counts as first seen now. */
export async function readPruned(path: string): Promise<Pruned> {
  const parsed = recordSchema.safeParse(await readRecordOrNull(path));
  if (!parsed.success) return { round: 0n, seen: new Map() };
  const { round, seen } = parsed.data;
  return { round: BigInt(round), seen: decodeLists(seen) };
}

export async function writePruned(path: string, { round, seen }: Pruned): Promise<void> {
  await writeDurably(path, encodeRecord({ round: round.toString(), seen: encodeLists(seen) }));
}
