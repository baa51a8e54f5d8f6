/** Deploys a prepared task and registers its committee and clients. */
import { JsonRpcProvider, NonceManager } from "ethers";
import type { Wallet } from "ethers";
import { deployTask } from "../chain/deploy.ts";
import type { Deployment } from "../chain/deploy.ts";
import { readCellGroup, registerCell } from "../chain/cell-group.ts";
import { connectWriter } from "../chain/connect.ts";
import { VerisumError } from "../protocol/errors.ts";
import { fromHex } from "../protocol/transcript.ts";
import type { Hex } from "../protocol/transcript.ts";
import { decodeVerificationKeys } from "../protocol/verification-key.ts";
import { guardVerificationKeys } from "../protocol/key-guard.ts";
import { presetOf } from "../protocol/task.ts";
import type { PreparedTask } from "./prepare-task.ts";

/** Whom the operator registers. */
export interface Roster {
  readonly members: readonly Hex[];
  readonly clients: readonly { readonly account: Hex; readonly weight: number }[];
  /** What each of them is sent for gas, in wei; nothing if absent. */
  readonly fundWei?: bigint;
}

/**
 * @param wallet the operator, who pays
 * @param groupWallet the operator of the group that the task's document names, if it names one and that is somebody
 * else
 * @throws KEY_REFUSED, CELLS_GROUP_INVALID before anything is sent, CHAIN_* errors
 */
export async function deployPreparedTask(
  rpc: string,
  wallet: Wallet,
  prepared: PreparedTask,
  roster: Roster,
  onStep: (step: string) => void,
  groupWallet = wallet,
): Promise<Deployment> {
  guardVerificationKeys(decodeVerificationKeys(fromHex(prepared.keys)), presetOf(prepared.parameters));
  const provider = new JsonRpcProvider(rpc, undefined, { polling: true, pollingInterval: 100, cacheTimeout: -1 });
  const signer = new NonceManager(wallet.connect(provider));
  if (prepared.group !== undefined) await requirePlace(provider, prepared.group);
  const deployment = await deployTask(signer, prepared.parameters, fromHex(prepared.keys), wallet.address);
  onStep(`deployed at ${deployment.contract}, ${deployment.gasUsed} gas`);
  if (roster.fundWei !== undefined)
    await fund(signer, [...roster.members, ...roster.clients.map(({ account }) => account)], roster.fundWei);
  if (prepared.group !== undefined) {
    const { gasUsed } = await registerCell(
      groupWallet === wallet ? signer : groupWallet.connect(provider),
      prepared.group,
      deployment.contract,
    );
    onStep(`registered as a cell of ${prepared.group}, ${gasUsed} gas`);
  }
  provider.destroy();
  const chain = await connectWriter({ rpc, contract: deployment.contract, wallet, confirmations: 0 });
  for (const member of roster.members) await chain.registerMember(member);
  for (const { account, weight } of roster.clients) await chain.registerClient(account, weight);
  onStep(`registered ${roster.members.length} members and ${roster.clients.length} clients`);
  return deployment;
}

/** Before gas is spent on a cell that the group would refuse. @throws CELLS_GROUP_INVALID */
async function requirePlace(provider: JsonRpcProvider, group: Hex): Promise<void> {
  const { cellCount, cells } = await readCellGroup({ provider, request: (work) => work() }, group);
  if (cells.length >= cellCount)
    throw new VerisumError("CELLS_GROUP_FULL", `group ${group} has all of its ${cellCount} cells`, { group });
}

async function fund(signer: NonceManager, accounts: readonly Hex[], wei: bigint): Promise<void> {
  for (const to of accounts) await (await signer.sendTransaction({ to, value: wei })).wait();
}
