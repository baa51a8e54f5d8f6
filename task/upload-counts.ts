/** `uploads.json`: which directories each account stored with a node in the latest rounds, over all its starts. */
import { z } from "zod";
import { encodeRecord, readRecordOrNull, writeDurably } from "../storage/durable-file.ts";

/** Directories that one account may store in one round: what it publishes, and what it made again after failures. */
export const ROOTS_PER_ROUND = 8;
/** Rounds that are counted at a time: an endpoint that lags tells earlier ones now and then. */
const ROUNDS_COUNTED = 4;

/** Rounds in the order in which they were told first, then accounts with the roots of theirs. */
const recordSchema = z.array(
  z.strictObject({ round: z.string().regex(/^[0-9]+$/), roots: z.record(z.string(), z.array(z.string())) }),
);

type Counts = Map<bigint, Map<string, Set<string>>>;

/**
 * Counts a directory once; false if the account has stored as many as it may in this round. A count is on the disk
 * before it is answered with true.
 */
export type CountUpload = (round: bigint, account: string, root: string) => Promise<boolean>;

/** @param path of the record; one that is damaged counts as none. @returns what throws STORAGE_FULL, STORAGE_FAILED */
export function createUploadCounts(path: string): CountUpload {
  let reading: Promise<Counts> | undefined;
  let writing: Promise<void> = Promise.resolve();
  const read = (): Promise<Counts> =>
    readCounts(path).catch((error: unknown) => {
      reading = undefined;
      throw error;
    });
  return async (round, account, root) => {
    const counted = await (reading ??= read());
    const roots = counted.get(round) ?? new Map<string, Set<string>>();
    counted.set(round, roots);
    if (counted.size > ROUNDS_COUNTED) counted.delete([...counted.keys()][0]!);
    const stored = roots.get(account) ?? new Set();
    if (stored.has(root)) return true;
    if (stored.size >= ROOTS_PER_ROUND) return false;
    roots.set(account, stored.add(root));
    writing = writing.catch(() => undefined).then(() => writeDurably(path, encodeRecord(recordOf(counted))));
    await writing.catch((error: unknown) => {
      stored.delete(root);
      throw error;
    });
    return true;
  };
}

async function readCounts(path: string): Promise<Counts> {
  const { data = [] } = recordSchema.safeParse(await readRecordOrNull(path));
  return new Map(
    data.map(({ round, roots }) => [
      BigInt(round),
      new Map(Object.entries(roots).map(([account, cids]) => [account, new Set(cids)])),
    ]),
  );
}

function recordOf(counts: Counts): z.infer<typeof recordSchema> {
  return [...counts].map(([round, roots]) => ({
    round: round.toString(),
    roots: Object.fromEntries([...roots].map(([account, cids]) => [account, [...cids]])),
  }));
}
