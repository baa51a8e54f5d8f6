/** A chain in memory whose latest blocks can be undone, with some of their transactions mined again and some lost. */
import type { SendName } from "../../chain/contract-calls.ts";
import type { VerisumFunctions } from "../../chain/generated/verisum.ts";
import type { Receipt } from "../../chain/task-chain.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { MemoryChain } from "../support/memory-chain/chain.ts";
import type { Arguments, Snapshot } from "../support/memory-chain/chain.ts";

/** A mined call, with the chain as it was before. */
interface Mined {
  readonly name: string;
  readonly before: Snapshot;
  readonly blockNumber: number;
  readonly again: () => Receipt;
}

/** Blocks that may be undone at most; older calls are forgotten. */
const MEMORY = 64;

/** A call that was mined. */
export interface MinedCall {
  readonly name: string;
  readonly sender: Hex;
  readonly args: readonly unknown[];
  /** True if a reorganisation had undone it. */
  readonly again: boolean;
}

export class ForkingChain extends MemoryChain {
  /** Told of every call as it is mined, again after a reorganisation. */
  onMined: (call: MinedCall) => void = () => undefined;
  #mined: Mined[] = [];
  #past: Snapshot[] = [];
  #forking = false;

  override send<N extends SendName<VerisumFunctions>>(
    contract: Hex,
    sender: Hex,
    name: N,
    args: Arguments<N>,
    valueWei = 0n,
  ): Receipt {
    const before = this.snapshot();
    const receipt = super.send(contract, sender, name, args, valueWei);
    const again = (): Receipt => this.send(contract, sender, name, args, valueWei);
    this.#mined = [...this.#mined.slice(-MEMORY), { before, name, blockNumber: receipt.blockNumber, again }];
    this.#past = [...this.#past.slice(-MEMORY), before];
    this.onMined({ name, sender, args, again: this.#forking });
    return receipt;
  }

  /** What was mined so far stays. */
  settleDown(): void {
    this.#mined = [];
    this.#past = [];
  }

  /** The chain some calls ago, as an endpoint that lags would have it; as it is if nothing was sent yet. */
  lagging(calls: number): Snapshot {
    return this.#past.at(-calls) ?? this.snapshot();
  }

  /**
   * Replaces the latest blocks by others, one more than there were.
   * @param keeps whether a transaction of the undone blocks is mined again
   * @param reorder the order in which so many submissions of the undone blocks come now; the others keep their places
   * @returns how many were mined again, and how many were lost
   */
  fork(
    depth: number,
    keeps: () => boolean,
    reorder: (count: number) => readonly number[] = (count) => [...Array(count).keys()],
  ): { readonly kept: number; readonly lost: number } {
    const height = this.blockNumber;
    const undone = this.#mined.filter(({ blockNumber }) => blockNumber > height - depth);
    const first = undone[0];
    if (first === undefined) return { kept: 0, lost: 0 };
    this.#mined = this.#mined.slice(0, -undone.length);
    this.restore(first.before);
    this.#forking = true;
    const kept = reordered(undone, reorder).filter(({ again }) => keeps() && succeeds(again)).length;
    this.#forking = false;
    this.mine(Math.max(1, height + 1 - this.blockNumber));
    return { kept, lost: undone.length - kept };
  }
}

function reordered(calls: readonly Mined[], reorder: (count: number) => readonly number[]): readonly Mined[] {
  const submissions = calls.filter(({ name }) => name === "submit");
  const order = reorder(submissions.length)[Symbol.iterator]();
  return calls.map((call) => (call.name === "submit" ? submissions[order.next().value!]! : call));
}

/** Whether a call that was undone passes again; what it relied on may be gone. */
function succeeds(call: () => Receipt): boolean {
  try {
    call();
    return true;
  } catch (error) {
    if (!isVerisumError(error, "CHAIN_REVERTED")) throw error;
    return false;
  }
}
