/**
 * Takes clients off a task's list, or gives a seat to another member: from the next round on, never in one that is
 * open. The operator may; a client and a member may for themselves; anybody may where a client was refused too often.
 */
import { formatEther } from "ethers";
import type { Wallet } from "ethers";
import { readerAt } from "../chain/reader.ts";
import { openEndpoint } from "../chain/rpc.ts";
import type { Hex } from "../protocol/transcript.ts";
import { checkFunds } from "./check-deployment.ts";
import { openSender } from "./deploy-task.ts";
import type { ChainIdentity, PaymentOptions } from "./deploy-task.ts";
import { planChange } from "./list-changes.ts";
import type { ListChange } from "./list-changes.ts";
import { sendAll, unpaid } from "./roster.ts";

export interface ChangeOptions extends PaymentOptions {
  /** Hears what the change leaves the task without, before anything is sent; as a step unless told. */
  readonly onWarning?: (warning: string) => void;
}

/**
 * What is so already is left out.
 * @returns the first round that it holds for
 * @throws ROSTER_INVALID, ROLE_NOT_REGISTERED, TASK_COMPLETE, CHAIN_NO_CONTRACT, CHAIN_FUNDS_MISSING before anything is
 *   sent; CHAIN_* errors; INTERRUPTED
 */
export async function changeLists(
  rpc: string | readonly string[],
  contract: Hex,
  wallet: Wallet,
  change: ListChange,
  onStep: (step: string) => void,
  { onWarning = onStep, ...options }: ChangeOptions = {},
): Promise<bigint> {
  const { endpoint, chainId } = await openEndpoint(rpc, options.chainId);
  try {
    const chain = await readerAt(endpoint, chainId, contract, { confirmations: 0 });
    const account = wallet.address.toLowerCase() as Hex;
    const look = await chain.look();
    const { steps, fromRound, warnings } = await planChange(change, {
      ...{ chain, look, account },
      balanceOf: (of) => endpoint.request(() => endpoint.provider.getBalance(of)),
    });
    if (steps.length === 0) {
      onStep(`it is so already, from round ${fromRound} on: nothing is sent`);
      return fromRound;
    }
    warnings.forEach(onWarning);
    const { record } = options;
    // The same change may be wanted again in a later round.
    const ofRound =
      record === undefined ? {} : { record: (chain: ChainIdentity) => record({ ...chain, round: fromRound }) };
    const sender = (await openSender(endpoint, chainId, { ...options, ...ofRound }))(wallet);
    const most = await checkFunds(endpoint, await unpaid(sender, account, steps), options.maxFeePerGas);
    onStep(`${steps.length} transactions to send, at most ${formatEther(most)} ether at present fees`);
    await sendAll(sender, steps);
    onStep(`from round ${fromRound} on; a round that is open keeps its lists`);
    return fromRound;
  } finally {
    endpoint.provider.destroy();
  }
}
