/** Deploys a prepared task and registers its committee and clients: checked first, paid once. */
import { formatEther, getCreateAddress } from "ethers";
import type { Wallet } from "ethers";
import { CELL_GROUP_INTERFACE, openEndpoint } from "../chain/rpc.ts";
import type { Endpoint } from "../chain/rpc.ts";
import { deploymentData } from "../chain/deploy.ts";
import type { Deployment } from "../chain/deploy.ts";
import { sendingFailure } from "../chain/transaction.ts";
import { abortableSleep } from "../command/sleep.ts";
import { isVerisumError } from "../protocol/errors.ts";
import { fromHex } from "../protocol/transcript.ts";
import type { Hex } from "../protocol/transcript.ts";
import { checkFunds, checkGroup, checkInstructions, checkPrepared } from "./check-deployment.ts";
import { checkWindows } from "./check-windows.ts";
import type { WindowChoice } from "./check-windows.ts";
import { volatileRecord } from "./payment-record.ts";
import type { PreparedTask } from "./prepare-task.ts";
import { recordedSender } from "./recorded-sender.ts";
import type { RecordedSender, TransactionRecord } from "./recorded-sender.ts";
import { sendAll, stepsOf, unpaid } from "./roster.ts";
import type { Roster, Step } from "./roster.ts";

/** Registering a cell has never cost as much. */
const CELL_GAS = 250_000n;
const DEPLOY = "deploy";

/** Of everything that an operator pays for. */
export interface PaymentOptions {
  /** Any other chain is refused. */
  readonly chainId?: bigint | undefined;
  /** The most that is offered for a unit of gas, in wei; 500 gwei if absent. */
  readonly maxFeePerGas?: bigint | undefined;
  /** Keeps what is sent, so that it is sent once; in memory if absent. */
  readonly record?: ((chain: ChainIdentity) => Promise<TransactionRecord>) | undefined;
  /** Stops waiting. */
  readonly signal?: AbortSignal | undefined;
}

export interface DeployOptions extends PaymentOptions, WindowChoice {
  /** The operator of the group that the task's document names, if that is somebody else than who pays. */
  readonly groupWallet?: Wallet | undefined;
}

/** A chain, also told apart from one that was started anew under the same number. */
export interface ChainIdentity extends Readonly<Record<string, string | bigint>> {
  readonly chainId: bigint;
  readonly genesisHash: string;
}

/**
 * Deploys, funds and registers. Nothing is sent before everything is checked.
 * @param wallet the operator, who pays
 * @throws TASK_DEPLOYMENT_INVALID, PARAMETERS_INVALID, KEY_REFUSED, ROSTER_INVALID, CELLS_GROUP_*, CHAIN_TOO_OLD,
 *   WINDOWS_TOO_SHORT, CHAIN_FUNDS_MISSING before anything is sent; CHAIN_* errors; INTERRUPTED
 */
export async function deployPreparedTask(
  rpc: string | readonly string[],
  wallet: Wallet,
  prepared: PreparedTask,
  roster: Roster,
  onStep: (step: string) => void,
  options: DeployOptions = {},
): Promise<Deployment> {
  checkPrepared(prepared, roster);
  const data = await deploymentData(prepared.parameters, fromHex(prepared.keys), wallet.address);
  const { endpoint, chainId } = await openEndpoint(rpc, options.chainId);
  try {
    await checkInstructions(endpoint, chainId);
    const senderOf = await openSender(endpoint, chainId, options);
    const groupWallet = options.groupWallet ?? wallet;
    const senders = { wallet, sender: senderOf(wallet), groupWallet, groupSender: senderOf(groupWallet) };
    // What is under way is the operator's decision already.
    if (!(await senders.sender.isUnderWay(DEPLOY)))
      await checkWindows(endpoint, chainId, prepared.parameters, options, onStep);
    await checkPayments(endpoint, senders, prepared, roster, { data, maxFeePerGas: options.maxFeePerGas }, onStep);
    return await deployAndRegister(senders, prepared, roster, { data, chainId }, onStep);
  } finally {
    endpoint.provider.destroy();
  }
}

/**
 * Opens the record, and gives each account one sender over it: two would take the same nonces.
 * @throws what opening the record throws
 */
export async function openSender(
  endpoint: Endpoint,
  chainId: bigint,
  options: PaymentOptions,
): Promise<(wallet: Wallet) => RecordedSender> {
  const record = (await options.record?.(await identityOf(endpoint, chainId))) ?? volatileRecord();
  const sleep = abortableSleep(options.signal ?? new AbortController().signal);
  const senders = new Map<string, RecordedSender>();
  return (wallet) => {
    const known = senders.get(wallet.address) ?? recordedSender(endpoint, wallet, record, sleep, options.maxFeePerGas);
    senders.set(wallet.address, known);
    return known;
  };
}

interface Senders {
  readonly wallet: Wallet;
  readonly sender: RecordedSender;
  readonly groupWallet: Wallet;
  readonly groupSender: RecordedSender;
}

async function checkPayments(
  endpoint: Endpoint,
  { wallet, sender, groupWallet, groupSender }: Senders,
  prepared: PreparedTask,
  roster: Roster,
  { data, maxFeePerGas }: Pick<PaymentOptions, "maxFeePerGas"> & { readonly data: string },
  onStep: (step: string) => void,
): Promise<void> {
  const account = wallet.address.toLowerCase() as Hex;
  const payments = await unpaid(sender, account, stepsOf(roster, undefined));
  if (!(await sender.isUnderWay(DEPLOY)))
    payments.push({ account, gas: await deploymentGas(endpoint, account, data), value: 0n });
  if (prepared.group !== undefined && !(await groupSender.isUnderWay(cellLabel(prepared.group)))) {
    await checkGroup(endpoint, prepared, groupWallet);
    payments.push({ account: groupWallet.address.toLowerCase() as Hex, gas: CELL_GAS, value: 0n });
  }
  const most = await checkFunds(endpoint, payments, maxFeePerGas);
  if (payments.length > 0)
    onStep(`${payments.length} transactions to send, at most ${formatEther(most)} ether at present fees`);
}

/** @throws CHAIN_REVERTED if the contract refuses the parameters or keys */
export async function deploymentGas({ provider, request }: Endpoint, from: Hex, data: string): Promise<bigint> {
  try {
    return await request(() => provider.estimateGas({ from, data }));
  } catch (error) {
    throw isVerisumError(error) ? error : sendingFailure("deployment", error);
  }
}

async function deployAndRegister(
  { sender, groupSender }: Senders,
  prepared: PreparedTask,
  roster: Roster,
  { data, chainId }: { readonly data: string; readonly chainId: bigint },
  onStep: (step: string) => void,
): Promise<Deployment> {
  const sent = await sender.send(DEPLOY, { data });
  const contract = getCreateAddress({ from: sent.sender, nonce: sent.nonce }).toLowerCase() as Hex;
  onStep(`deploying at ${contract}`);
  const { blockNumber, gasUsed } = await sender.mined(sent);
  onStep(`deployed at ${contract}, ${gasUsed} gas`);
  if (prepared.group !== undefined) {
    const receipt = await groupSender.mined(await groupSender.send(...cellStep(prepared.group, contract)));
    onStep(`registered as a cell of ${prepared.group}, ${receipt.gasUsed} gas`);
  }
  await sendAll(sender, stepsOf(roster, contract));
  onStep(`registered ${roster.members.length} members and ${roster.clients.length} clients`);
  return { contract, chainId, blockNumber, gasUsed };
}

function cellStep(group: Hex, cell: Hex): [Step["label"], Step["request"]] {
  return [cellLabel(group), { to: group, data: CELL_GROUP_INTERFACE.encodeFunctionData("register", [cell]) }];
}

const cellLabel = (group: Hex): string => `cell of ${group}`;

async function identityOf({ provider, request }: Endpoint, chainId: bigint): Promise<ChainIdentity> {
  const genesis = await request(() => provider.getBlock(0));
  return { chainId, genesisHash: genesis?.hash ?? "unknown" };
}
