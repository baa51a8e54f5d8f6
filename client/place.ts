/** Whether a client's place may pass to another account, as the contract will ask it: before anything is paid. */
import type { TaskLook, TaskReader } from "../chain/task-chain.ts";
import { ensure } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import { isListed } from "./terms.ts";

type Chain = Pick<TaskReader, "client">;

/**
 * @param account the client
 * @throws ROLE_NOT_REGISTERED if it is none now, ROSTER_INVALID if the successor can never take its place; chain errors
 */
export async function assertNameable(chain: Chain, account: Hex, successor: Hex | null): Promise<void> {
  ensure(isListed(await chain.client(account)), "ROLE_NOT_REGISTERED", `${account} is no client of this task now`, {
    account,
  });
  if (successor === null) return;
  ensure(
    successor.toLowerCase() !== account.toLowerCase(),
    "ROSTER_INVALID",
    `${successor} is this client's own account: name another one, or none`,
  );
  await assertNew(chain, successor);
}

/**
 * @param account that takes the place
 * @returns the round that it has had the place from; undefined if it is yet to take it
 * @throws ROLE_NOT_REGISTERED if it is not the one that the predecessor named, or that is no client now;
 *   ROSTER_INVALID if the account was a client before; chain errors
 */
export async function assertTakeable(
  chain: Chain,
  { clientTerms, events }: Pick<TaskLook, "clientTerms" | "events">,
  account: Hex,
  predecessor: Hex,
): Promise<bigint | undefined> {
  const [own, former] = [account.toLowerCase() as Hex, predecessor.toLowerCase() as Hex];
  const taken = clientTerms.findLast(
    ({ client, predecessor: of, untilRound }) => client === own && of === former && untilRound === undefined,
  );
  if (taken !== undefined) return taken.fromRound;
  ensure(isListed(await chain.client(former)), "ROLE_NOT_REGISTERED", `${former} is no client of this task now`, {
    account: former,
  });
  const named = events()
    .findLast(({ name, fields }) => name === "SuccessorNamed" && fields["client"]?.toLowerCase() === former)
    ?.fields["successor"]?.toLowerCase();
  const whom = named === undefined || BigInt(named) === 0n ? "nobody" : named;
  ensure(
    named === own,
    "ROLE_NOT_REGISTERED",
    `${former} named ${whom} to take its place, not ${own}: its own account does so with fl-client name-successor`,
    { account: own },
  );
  await assertNew(chain, own);
  return undefined;
}

/** @throws ROSTER_INVALID */
async function assertNew(chain: Chain, account: Hex): Promise<void> {
  const { weight } = await chain.client(account);
  ensure(
    weight === 0,
    "ROSTER_INVALID",
    `${account} is or was a client of this task: only an account that never was one can take a place`,
    { account },
  );
}
