/** Lists members and clients of a task that is deployed, as its operator: also after a deployment by Ignition. */
import { formatEther } from "ethers";
import type { Wallet } from "ethers";
import { readerAt } from "../chain/reader.ts";
import { openEndpoint } from "../chain/rpc.ts";
import { ensure } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import { requireFurtherRounds } from "../task/further-rounds.ts";
import { checkFunds } from "./check-deployment.ts";
import { openSender } from "./deploy-task.ts";
import type { PaymentOptions } from "./deploy-task.ts";
import { newRegistrations, sendAll, stepsOf, unpaid } from "./roster.ts";
import type { Roster } from "./roster.ts";

/**
 * Whom the contract knows already is left out; a client's weight and a taken seat cannot be changed.
 * @throws ROSTER_INVALID, ROLE_NOT_REGISTERED, TASK_COMPLETE, CHAIN_NO_CONTRACT, CHAIN_FUNDS_MISSING before anything is
 *   sent; CHAIN_* errors; INTERRUPTED
 */
export async function registerLater(
  rpc: string | readonly string[],
  contract: Hex,
  wallet: Wallet,
  roster: Roster,
  onStep: (step: string) => void,
  options: PaymentOptions = {},
): Promise<void> {
  const { endpoint, chainId } = await openEndpoint(rpc, options.chainId);
  try {
    const reader = await readerAt(endpoint, chainId, contract, { confirmations: 0 });
    const fresh = await newRegistrations(reader, wallet, roster);
    requireFurtherRounds(await reader.parameters(), await reader.look());
    const sender = (await openSender(endpoint, chainId, options))(wallet);
    const steps = stepsOf(roster, contract).filter(({ label }) => label.startsWith("fund ") || fresh.has(label));
    const payments = await unpaid(sender, wallet.address.toLowerCase() as Hex, steps);
    const most = await checkFunds(endpoint, payments, options.maxFeePerGas);
    if (payments.length > 0)
      onStep(`${payments.length} transactions to send, at most ${formatEther(most)} ether at present fees`);
    await sendAll(sender, steps);
    const [absent] = await newRegistrations(reader, wallet, roster);
    ensure(
      absent === undefined,
      "ROSTER_INVALID",
      `${absent} was registered by this command before and has left since: --again registers it once more`,
    );
    onStep(`${fresh.size} of ${roster.members.length + roster.clients.length} accounts were new`);
  } finally {
    endpoint.provider.destroy();
  }
}
