/** A member's keys on chain, which are all that it needs gas for. */
import type { TaskLook, TaskWriter } from "../chain/task-chain.ts";
import { mayPass } from "../protocol/errors.ts";
import type { RandomBytes } from "../protocol/random.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { termIn } from "./own-seat.ts";
import type { Refusals } from "./refusals.ts";
import type { RoundKeys } from "./round-keys.ts";

export interface KeyTenderDependencies {
  readonly chain: TaskWriter;
  readonly keys: Pick<RoundKeys, "topUp">;
  /** 1 … n. */
  readonly seat: number;
  readonly random: RandomBytes;
  readonly reporter: Reporter;
}

/**
 * Once a block, until what it saw is final: registers keys for rounds that this account has the seat in. Returns
 * whether it registered some. That it cannot pay, or that nobody takes the transaction, is said once a round; it is
 * tried again.
 */
export type KeyTender = (look: TaskLook) => Promise<boolean>;

/** @throws what registering throws that does not pass by itself */
export function createKeyTender(deps: KeyTenderDependencies, refusals: Refusals): KeyTender {
  const { chain, keys, seat, random, reporter } = deps;
  let keysAt: string | undefined;
  /** From which round on keys were seen, and first at which block. */
  let keysSeen: { readonly from: bigint; readonly block: number } | undefined;
  /** From which round on they were seen again once that block was final. */
  let keysFinal: bigint | undefined;
  let said = "";

  /** All keys that are due are there. */
  const noteKeys = (from: bigint, { block, finalBlock }: TaskLook): void => {
    if (keysSeen?.from !== from) keysSeen = { from, block: block.number };
    else if (keysSeen.block <= finalBlock) keysFinal = from;
  };

  const register = async (look: TaskLook): Promise<boolean> => {
    if (keysAt === look.block.hash) return false;
    const next = look.round.number + 1n;
    const term = termIn(look, deps, next);
    if (term === undefined) return false;
    const from = term.fromRound > next ? term.fromRound : next;
    if (keysFinal === from) return false;
    const count = await refusals.attempt("register keys", look, () => keys.topUp(chain, seat, from, random));
    keysAt = look.block.hash;
    if (count === 0) noteKeys(from, look);
    else keysSeen = undefined;
    if (count === undefined || count === 0) return false;
    reporter.say("info", "keys-registered", `registered one-time keys for ${count} rounds`, { seat, from, count });
    return true;
  };

  return async (look) => {
    try {
      return await register(look);
    } catch (error) {
      if (!mayPass(error)) throw error;
      const { code, message } = error;
      const round = look.round.number;
      const text = `round ${round}: keys for coming rounds are not registered: ${code}: ${message}; trying again`;
      if (said !== `${round} ${code}`) reporter.say("warn", "keys-late", text, { seat, round, code });
      said = `${round} ${code}`;
      return false;
    }
  };
}
