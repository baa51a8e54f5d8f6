/** Deploys the contract that lists a task's cells; first of all, since the task's document names it (docs/scale.md). */
import { getCreateAddress } from "ethers";
import type { Wallet } from "ethers";
import { groupDeploymentData } from "../chain/deploy.ts";
import type { Deployment } from "../chain/deploy.ts";
import { openEndpoint } from "../chain/rpc.ts";
import type { Hex } from "../protocol/transcript.ts";
import { checkFunds, checkInstructions } from "./check-deployment.ts";
import { deploymentGas, openSender } from "./deploy-task.ts";
import type { PaymentOptions } from "./deploy-task.ts";

const DEPLOY = "deploy group";

/**
 * @param wallet the group's operator, who registers cells
 * @throws CHAIN_TOO_OLD, CHAIN_FUNDS_MISSING before anything is sent; CHAIN_* errors; INTERRUPTED
 */
export async function deployEmptyGroup(
  rpc: string | readonly string[],
  wallet: Wallet,
  cellCount: number,
  options: PaymentOptions = {},
): Promise<Deployment> {
  const data = await groupDeploymentData(cellCount, wallet.address);
  const { endpoint, chainId } = await openEndpoint(rpc, options.chainId);
  try {
    await checkInstructions(endpoint, chainId);
    const sender = (await openSender(endpoint, chainId, options))(wallet);
    const account = wallet.address.toLowerCase() as Hex;
    if (!(await sender.isUnderWay(DEPLOY)))
      await checkFunds(
        endpoint,
        [{ account, gas: await deploymentGas(endpoint, account, data), value: 0n }],
        options.maxFeePerGas,
      );
    const sent = await sender.send(DEPLOY, { data });
    const contract = getCreateAddress({ from: sent.sender, nonce: sent.nonce }).toLowerCase() as Hex;
    const { blockNumber, gasUsed } = await sender.mined(sent);
    return { contract, chainId, blockNumber, gasUsed };
  } finally {
    endpoint.provider.destroy();
  }
}
