/** A client that leaves its task, or hands its place to another account of its own. */
import { connectWriter } from "../chain/connect.ts";
import type { TaskWriter } from "../chain/task-chain.ts";
import { ensure } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { Hex } from "../protocol/transcript.ts";
import { ZERO_ADDRESS } from "../chain/lists.ts";
import { assertNameable, assertTakeable } from "./place.ts";

/** Which contract, and by whom. */
export type LeavingOptions = Parameters<typeof connectWriter>[0];

/**
 * Leaves from the next round on. A bond is paid back by the same call once the last round is over.
 * @throws ROLE_NOT_REGISTERED; chain errors
 */
export async function leaveTask(options: LeavingOptions, reporter: Reporter): Promise<void> {
  const chain = await connectWriter(options);
  const { weight, untilRound, bondWei } = await chain.client(chain.account);
  ensure(weight > 0, "ROLE_NOT_REGISTERED", `${chain.account} was never a client of this task`, {
    account: chain.account,
  });
  if (untilRound === 0n) await chain.removeClient(chain.account);
  const until = (await chain.client(chain.account)).untilRound;
  reporter.say("good", "left", `takes part in no round from ${until} on`, { untilRound: until });
  if (bondWei !== 0n) await takeBond(chain, reporter, until);
}

async function takeBond(chain: TaskWriter, reporter: Reporter, until: bigint): Promise<void> {
  const { number, phase } = await chain.round();
  const isOpen = phase === "Collecting" || phase === "Attesting" || phase === "Aggregating";
  if (isOpen && number < until) {
    reporter.say("info", "bond-held", `the bond is held until round ${number} is over: run this again then`, {
      round: number,
    });
    return;
  }
  await chain.withdrawBond();
  reporter.say("good", "bond-paid", "the bond is paid back");
}

/** Lets another account take this one's place. @throws ROLE_NOT_REGISTERED, ROSTER_INVALID; chain errors */
export async function nameSuccessor(options: LeavingOptions, successor: Hex | null, reporter: Reporter): Promise<void> {
  const chain = await connectWriter(options);
  await assertNameable(chain, chain.account, successor);
  await chain.nameSuccessor(successor ?? ZERO_ADDRESS);
  reporter.say("good", "successor-named", `${successor ?? "nobody"} may take the place of ${chain.account}`, {
    successor: successor ?? ZERO_ADDRESS,
  });
}

/**
 * Takes the place of a client that named this account, with its weight, its bond and all that was counted of it.
 * @throws ROLE_NOT_REGISTERED, ROSTER_INVALID; chain errors: CHAIN_REVERTED with VerisumPlaceInUse while it may still
 *   submit
 */
export async function takePlace(options: LeavingOptions, predecessor: Hex, reporter: Reporter): Promise<void> {
  const chain = await connectWriter(options);
  const known = await assertTakeable(chain, await chain.look(), chain.account, predecessor);
  if (known === undefined) await chain.takePlace(predecessor);
  const activeFromRound = known ?? (await chain.client(chain.account)).activeFromRound;
  reporter.say("good", "place-taken", `takes part from round ${activeFromRound} on, in the place of ${predecessor}`, {
    activeFromRound,
  });
}
