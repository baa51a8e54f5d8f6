/** The record that makes a member release one share sum per round, whatever happens to the process or the chain. */
import { z } from "zod";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import type { SubmittedRecord } from "../chain/task-chain.ts";
import {
  createDurably,
  encodeRecord,
  readIfPresent,
  readRecord,
  readRecordOrNull,
  writeDurably,
} from "../storage/durable-file.ts";
import type { StateDirectory } from "../storage/state-directory.ts";

const recordSchema = z.strictObject({
  summands: z.array(z.string()),
  /** Absent in records of earlier versions. */
  releaseCid: z.string().optional(),
});
type ReleaseRecord = z.infer<typeof recordSchema>;

/**
 * Binds a round to the summands of one release and to its CID, durably, before anything of the release leaves the
 * machine.
 *
 * A repeated call with the same values passes: the release is the same bytes. The difference of two releases would be
 * a share of single clients' updates (threats S2). The bitmap of U would not do: after a reorganisation its bits may
 * stand for other clients, or for other submissions of the same ones.
 *
 * @param scope names (chainId, contract, seat)
 * @param included the submissions of U
 * @throws ROUND_EQUIVOCATION for other summands, or another sum of them; ROUND_RECORD_DAMAGED if there is a record that
 * cannot be read: whatever was released then, nothing is released now
 */
export async function bindRelease(
  state: StateDirectory,
  scope: string,
  round: bigint,
  included: readonly SubmittedRecord[],
  releaseCid: string,
): Promise<void> {
  const record: ReleaseRecord = { summands: summandsOf(included), releaseCid };
  if (await createDurably(recordPath(state, scope, round), encodeRecord(record))) return state.adopt();
  const recorded = await boundRelease(state, scope, round, included);
  if (recorded !== undefined && recorded !== releaseCid)
    throw new VerisumError("ROUND_EQUIVOCATION", `round ${round} was released with another sum`, {
      round,
      recorded,
      asked: releaseCid,
    });
}

/**
 * The CID of what this directory released in the round, or was about to; undefined if it has none.
 * @throws as `bindRelease`, if it is bound to other summands
 */
export async function boundRelease(
  state: StateDirectory,
  scope: string,
  round: bigint,
  included: readonly SubmittedRecord[],
): Promise<string | undefined> {
  const record = await readBound(recordPath(state, scope, round), round);
  const summands = summandsOf(included);
  if (record !== undefined && record.summands.join() !== summands.join())
    throw new VerisumError("ROUND_EQUIVOCATION", `round ${round} was released for other submissions`, {
      round,
      recorded: record.summands,
      asked: summands,
    });
  return record?.releaseCid;
}

/** Notes a release of which only the chain knows: nothing else is released in the round. @throws as `bindRelease` */
export async function bindUnknownRelease(state: StateDirectory, scope: string, round: bigint): Promise<void> {
  await writeDurably(recordPath(state, scope, round), encodeRecord({ summands: "unknown" }));
}

/**
 * Whether this directory knows of this release in the round. A record that cannot be read, or says no CID, may be of
 * it. @throws STORAGE_FAILED
 */
export async function knowsRelease(
  state: StateDirectory,
  scope: string,
  round: bigint,
  releaseCid: string,
): Promise<boolean> {
  const path = recordPath(state, scope, round);
  if ((await readIfPresent(path)) === undefined) return false;
  const parsed = recordSchema.safeParse(await readRecordOrNull(path));
  return !parsed.success || (parsed.data.releaseCid ?? releaseCid) === releaseCid;
}

function recordPath(state: StateDirectory, scope: string, round: bigint): string {
  return state.file(scope, `release-${round}.json`);
}

function summandsOf(included: readonly SubmittedRecord[]): string[] {
  return included.map(({ client, weight, submission }) => `${weight} ${client} ${submission.sharesCid}`).sort();
}

async function readBound(path: string, round: bigint): Promise<ReleaseRecord | undefined> {
  const damaged = (cause?: unknown): VerisumError =>
    new VerisumError(
      "ROUND_RECORD_DAMAGED",
      `${path} does not say what was released in round ${round}: nothing is released in it again`,
      { round, path },
      { cause },
    );
  const record = await readRecord(path).catch((error: unknown) => {
    throw isVerisumError(error, "STORAGE_CORRUPT") ? damaged(error) : error;
  });
  if (record === undefined) return undefined;
  const parsed = recordSchema.safeParse(record);
  if (!parsed.success) throw damaged();
  return parsed.data;
}
