/** The record that makes a member release one share sum per round, whatever happens to the process or the chain. */
import { z } from "zod";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import type { SubmittedRecord } from "../chain/task-chain.ts";
import { createDurably, encodeRecord, readIfPresent, readRecord } from "../storage/durable-file.ts";
import type { StateDirectory } from "../storage/state-directory.ts";

const recordSchema = z.strictObject({ summands: z.array(z.string()) });

/**
 * Binds a round to the summands of one release, durably, before anything of the release leaves the machine.
 *
 * A repeated call with the same summands passes: the release is the same bytes. The difference of two releases would be
 * a share of single clients' updates (threats S2). The bitmap of U would not do: after a reorganisation its bits may
 * stand for other clients, or for other submissions of the same ones.
 *
 * @param scope names (chainId, contract, seat)
 * @param included the submissions of U
 * @throws ROUND_EQUIVOCATION for other summands; ROUND_RECORD_DAMAGED if there is a record that cannot be read:
 * whatever was released then, nothing is released now
 */
export async function bindRelease(
  state: StateDirectory,
  scope: string,
  round: bigint,
  included: readonly SubmittedRecord[],
): Promise<void> {
  const path = state.file(scope, `release-${round}.json`);
  const summands = included
    .map(({ client, weight, submission }) => `${weight} ${client} ${submission.sharesCid}`)
    .sort();
  if (await createDurably(path, encodeRecord({ summands }))) return state.adopt();
  const recorded = await recordedSummands(path, round);
  if (recorded.join() !== summands.join()) {
    throw new VerisumError("ROUND_EQUIVOCATION", `round ${round} was released for other submissions`, {
      round,
      recorded,
      asked: summands,
    });
  }
}

/** Notes a release of which only the chain knows: nothing else is released in the round. @throws as `bindRelease` */
export async function bindUnknownRelease(state: StateDirectory, scope: string, round: bigint): Promise<void> {
  await createDurably(state.file(scope, `release-${round}.json`), encodeRecord({ summands: "unknown" }));
}

/** Whether this directory knows of a release in the round, readable or not. @throws STORAGE_FAILED */
export async function isReleaseBound(state: StateDirectory, scope: string, round: bigint): Promise<boolean> {
  return (await readIfPresent(state.file(scope, `release-${round}.json`))) !== undefined;
}

async function recordedSummands(path: string, round: bigint): Promise<readonly string[]> {
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
  const parsed = recordSchema.safeParse(record);
  if (!parsed.success) throw damaged();
  return parsed.data.summands;
}
