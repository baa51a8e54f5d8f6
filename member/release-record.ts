/** The record that makes a member release one share sum per round, whatever happens to the process or the chain. */
import { z } from "zod";
import { VerisumError } from "../protocol/errors.ts";
import type { SubmittedRecord } from "../chain/task-chain.ts";
import { createDurably, encodeRecord, readRecord } from "../storage/durable-file.ts";
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
 * @throws ROUND_EQUIVOCATION for other summands; STORAGE_CORRUPT if the record is damaged
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
  if (await createDurably(path, encodeRecord({ summands }))) return;
  const parsed = recordSchema.safeParse(await readRecord(path));
  if (!parsed.success) throw new VerisumError("STORAGE_CORRUPT", `${path} is not a release record`, { path });
  if (parsed.data.summands.join() !== summands.join()) {
    throw new VerisumError("ROUND_EQUIVOCATION", `round ${round} was released for other submissions`, {
      round,
      recorded: parsed.data.summands,
      asked: summands,
    });
  }
}
