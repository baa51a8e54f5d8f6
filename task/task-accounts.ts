/** Who takes part in a task, by a list that is read now and then: strangers cost no call to the chain each. */
import { isOfOrAfter, ZERO_ADDRESS } from "../chain/lists.ts";
import type { SeatTerm } from "../chain/lists.ts";
import type { TaskReader } from "../chain/task-chain.ts";
import type { Hex } from "../protocol/transcript.ts";

/** For an account that is not in the list, it is not read again sooner. */
const LEAST_SECONDS = 2;
/** Whoever has left the task is forgotten by the second request after this time. */
const MOST_SECONDS = 60;

/** Of a look. */
interface Seats {
  readonly seats: readonly SeatTerm[];
  readonly round: { readonly number: bigint };
}

/** Members of the current round, and those to come, in lower case. */
export async function presentMembers(chain: { look(): Promise<Seats> }): Promise<readonly Hex[]> {
  const { seats, round } = await chain.look();
  return seats
    .filter((term) => term.member !== ZERO_ADDRESS && isOfOrAfter(term, round.number))
    .map(({ member }) => member);
}

/**
 * Tells the task's operator, members and clients from others.
 * @param now seconds, never going back
 * @returns whether an account, in lower case, takes part. It throws what the chain throws, of strangers only
 */
export function knownAccounts(
  chain: Pick<TaskReader, "clients" | "operator"> & { look(): Promise<Seats> },
  now: () => number,
): (account: Hex) => Promise<boolean> {
  let known: ReadonlySet<Hex> = new Set();
  let reading: Promise<void> = Promise.resolve();
  let readAt = -Infinity;
  const read = async (): Promise<void> => {
    const accounts = [...(await chain.clients()), ...(await presentMembers(chain)), await chain.operator()];
    known = new Set(accounts.map((account) => account.toLowerCase() as Hex));
  };
  return async (account) => {
    if (now() - readAt >= (known.has(account) ? MOST_SECONDS : LEAST_SECONDS)) {
      readAt = now();
      reading = read();
      reading.catch(() => undefined);
    }
    if (known.has(account)) return true;
    await reading;
    return known.has(account);
  };
}
