/** The record that makes a member release one share sum per round, whatever happens to the process or the chain. */
import { z } from "zod";
import { VerisumError } from "../protocol/errors.ts";
import { createDurably, encodeRecord, readRecord } from "../adapters/storage/durable-file.ts";
import type { StateDirectory } from "../adapters/storage/state-directory.ts";

const recordSchema = z.strictObject({ included: z.string().regex(/^[0-9]+$/) });

/**
 * Binds a round to one set of clients, durably, before anything of the release leaves the machine.
 *
 * A repeated call with the same set passes: the release is the same bytes. The difference of releases for two sets would be
 * a share of single clients' updates (threats S2).
 *
 * @param scope names (chainId, contract, seat)
 * @throws ROUND_EQUIVOCATION for a second set; STORAGE_CORRUPT if the record is damaged
 */
export async function bindRelease(state: StateDirectory, scope: string, round: bigint, included: bigint): Promise<void> {
  const path = state.file(scope, `release-${round}.json`);
  if (await createDurably(path, encodeRecord({ included: included.toString() }))) return;
  const parsed = recordSchema.safeParse(await readRecord(path));
  if (!parsed.success) throw new VerisumError("STORAGE_CORRUPT", `${path} is not a release record`, { path });
  if (BigInt(parsed.data.included) !== included) {
    throw new VerisumError("ROUND_EQUIVOCATION", `round ${round} was released for another set of clients`, { round, recorded: parsed.data.included, asked: included });
  }
}
