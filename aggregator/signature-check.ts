/** Whether a signature of a proposed result is the one of the seat that it names. */
import { isSignedBySeat } from "../chain/statement-signatures.ts";
import type { SeatSignature, TaskReader } from "../chain/task-chain.ts";
import type { Proposal } from "../task/proposal-exchange.ts";

/** What the chain says of a round and its seats is asked again after this, whatever strangers post. */
const LASTS_MS = 2_000;

/** @param clock monotonic milliseconds */
export function signatureCheck(
  chain: Pick<TaskReader, "records" | "members" | "context">,
  clock: () => number,
): (proposal: Proposal, signature: SeatSignature) => Promise<boolean> {
  const read = async (round: bigint) => ({
    settled: (await chain.records(round)).settled,
    members: await chain.members(round),
  });
  let held: { readonly round: bigint; readonly at: number; readonly said: ReturnType<typeof read> } | undefined;
  return async (proposal, given) => {
    if (held?.round !== proposal.round || clock() - held.at >= LASTS_MS)
      held = { round: proposal.round, at: clock(), said: read(proposal.round) };
    const { settled, members } = await held.said.catch((error: unknown) => {
      held = undefined;
      throw error;
    });
    if (settled === undefined) return false;
    const signed = { ...proposal.result, round: settled.round, settlement: settled.settlement };
    return isSignedBySeat(chain.context, members, "Result", { ...signed, ...given });
  };
}
