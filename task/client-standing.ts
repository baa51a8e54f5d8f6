/** What an account is to a task as a client, in words. */
import type { ClientStatus } from "../chain/task-chain.ts";

/** @param round the present one */
export function clientStanding({ weight, activeFromRound, untilRound, moved }: ClientStatus, round: bigint): string {
  if (weight === 0) return "never a client of this task";
  const place = moved ? ", as another account has its place" : "";
  if (untilRound !== 0n && untilRound <= round) return `no client since round ${untilRound}${place}`;
  if (untilRound !== 0n) return `a client of weight ${weight} until round ${untilRound}${place}`;
  return activeFromRound > round
    ? `a client of weight ${weight} from round ${activeFromRound} on`
    : `a client of weight ${weight} since round ${activeFromRound}`;
}
