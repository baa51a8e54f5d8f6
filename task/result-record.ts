/**
 * `results.json`: results that this node made and stored before they were final: it signed or proposed them. Each is
 * noted before it is stored. What a directory says of itself tells nothing: at a Kubo node that serves more than one
 * task, or a dashboard, others' directories are pinned as well.
 */
import pLimit from "p-limit";
import { z } from "zod";
import type { ContentStore } from "../content/store.ts";
import { encodeRecord, readRecordOrNull, writeDurably } from "../storage/durable-file.ts";
import { byRoundSchema, cidsSchema, decodeLists, encodeLists, firstUpTo, withMore } from "./by-round.ts";
import type { ByRound } from "./by-round.ts";
import { cidsOf } from "./needed-directories.ts";
import type { RoundPublication } from "./outcome.ts";

const recordSchema = z.strictObject({ open: byRoundSchema, shown: cidsSchema });

interface Noted {
  /** Checkpoints and aggregates of rounds that are not over for good, by their round. */
  readonly open: ByRound;
  /** Those that a final block showed as results: an endpoint that says otherwise later is not believed. */
  readonly shown: ReadonlySet<string>;
}

/** How directories are removed. @param spared those from which no block is taken */
type Remove = (cids: readonly string[], spared: readonly string[]) => Promise<void>;

export interface ResultRecord {
  /** Notes a round's result, and stores its directories. @throws STORAGE_*, IPFS_STORE_FAILED, IPFS_API_FAILED */
  store(
    round: bigint,
    result: Pick<RoundPublication, "checkpointFiles" | "aggregateFiles"> & {
      readonly signed: Pick<RoundPublication["signed"], "modelCid" | "aggregateCid">;
    },
  ): Promise<void>;
  /** All that a look at the chain showed as final. */
  shown(): Promise<readonly string[]>;
  /**
   * Removes those of rounds up to `last` that did not become final. A later round that starts from the same model with
   * the same clients gives the same aggregate: it stays for a result that may become final.
   * @param audited all results on the chain, and what else an audit reads
   * @param finalOf a round's result if a final block has it: no reorganisation takes that back
   */
  sweep(
    last: bigint,
    audited: readonly string[],
    finalOf: (round: bigint) => readonly string[],
    remove: Remove,
  ): Promise<void>;
}

/** One call at a time: no result is removed while another that has the same aggregate is stored. */
export function createResultRecord(path: string, store: Pick<ContentStore, "putDirectory">): ResultRecord {
  const inTurn = pLimit(1);
  return {
    store: (round, { signed, checkpointFiles, aggregateFiles }) =>
      inTurn(async () => {
        const { open, shown } = await readNoted(path);
        const more = withMore(open, round, cidsOf(signed));
        if (more !== open) await writeNoted(path, { open: more, shown });
        await store.putDirectory(checkpointFiles);
        await store.putDirectory(aggregateFiles);
      }),
    shown: async () => [...(await readNoted(path)).shown],
    sweep: (last, audited, finalOf, remove) =>
      inTurn(async () => {
        const { open, shown } = await readNoted(path);
        const final = [...open].flatMap(([round, cids]) => finalOf(round).filter((cid) => cids.has(cid)));
        const shownNow = new Set([...shown, ...final]);
        const left: ByRound = new Map([...open].filter(([round]) => round > last));
        const kept = new Set([...audited, ...shownNow]);
        const needed = new Set([...kept, ...firstUpTo(left)]);
        const dead = firstUpTo(open, last).filter((cid) => !needed.has(cid));
        if (dead.length > 0) await remove([...new Set(dead)], [...kept]);
        if (shownNow.size > shown.size || left.size < open.size)
          await writeNoted(path, { open: left, shown: shownNow });
      }),
  };
}

/** A damaged record lists nothing: what it listed stays. */
async function readNoted(path: string): Promise<Noted> {
  const parsed = recordSchema.safeParse(await readRecordOrNull(path));
  if (!parsed.success) return { open: new Map(), shown: new Set() };
  return { open: decodeLists(parsed.data.open), shown: new Set(parsed.data.shown) };
}

async function writeNoted(path: string, { open, shown }: Noted): Promise<void> {
  await writeDurably(path, encodeRecord({ open: encodeLists(open), shown: [...shown] }));
}
