/** Whom an operator registers with a task, and pays: at its deployment or later. */
import type { Wallet } from "ethers";
import { membersIn } from "../chain/lists.ts";
import { VERISUM_INTERFACE } from "../chain/rpc.ts";
import type { TaskReader } from "../chain/task-chain.ts";
import { ensure, VerisumError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import { MAX_COHORT, MAX_REGISTERED, MAX_TOTAL_WEIGHT } from "../protocol/parameters.ts";

import type { TaskParameters } from "../protocol/task.ts";
import { isBuffer } from "../task/buffers.ts";
import type { RecordedSender, TransactionRequest } from "./recorded-sender.ts";

/** Whom the operator registers. */
export interface Roster {
  readonly members: readonly Hex[];
  readonly clients: readonly { readonly account: Hex; readonly weight: number }[];
  /** What each of them is sent for gas, in wei; nothing if absent. */
  readonly fundWei?: bigint;
}

/** @throws ROSTER_INVALID if the contract would refuse one of them, or all together */
export function checkRoster(
  parameters: Pick<
    TaskParameters,
    "committeeSize" | "uniformWeights" | "maxWeight" | "openRegistration" | "bufferGoal"
  >,
  { members, clients }: Roster,
): void {
  const { committeeSize, uniformWeights, maxWeight, openRegistration } = parameters;
  const refuse = (message: string): never => {
    throw new VerisumError("ROSTER_INVALID", message);
  };
  const twice = (accounts: readonly Hex[]): Hex | undefined => {
    const seen = new Set<Hex>();
    return accounts.find((one) => seen.size === seen.add(one).size);
  };
  const listed = clients.map(({ account }) => account);
  const repeated = twice(members) ?? twice(listed);
  if (repeated !== undefined) refuse(`${repeated} is listed twice`);
  if ([...members, ...listed].some((account) => BigInt(account) === 0n)) refuse("0x0 is nobody's account");
  if (members.length > committeeSize) refuse(`${members.length} members do not fit into ${committeeSize} seats`);
  if (openRegistration && clients.length > 0)
    refuse("the task has open registration: clients join by themselves, and the operator lists none");
  for (const { account, weight } of clients) {
    if (!Number.isInteger(weight) || weight < 1) refuse(`${account}: a weight is a whole number from 1`);
    if (weight > maxWeight && !uniformWeights)
      refuse(`${account}: a weight is at most ${maxWeight} in this task (maxWeight), not ${weight}`);
    if (uniformWeights && weight !== 1) refuse(`${account}: in this task every weight is 1, not ${weight}`);
  }
  checkRoom(parameters, clients);
}

/** A part of a deployment that is still to be paid. */
export interface Payment {
  readonly account: Hex;
  readonly gas: bigint;
  readonly value: bigint;
}

/** A transaction to be sent, by the label of its record. */
export interface Step {
  readonly label: string;
  readonly request: TransactionRequest;
  /** More gas than it has ever cost: before a contract is there, nobody can say. */
  readonly gas: bigint;
}

const REGISTRATION_GAS = 150_000n;
const TRANSFER_GAS = 60_000n;

/** Everything that a roster asks for, the money first. @param contract undefined while it is not deployed */
export function stepsOf({ members, clients, fundWei }: Roster, contract: Hex | undefined): readonly Step[] {
  const to = contract === undefined ? {} : { to: contract };
  const call = (name: string, ...args: readonly unknown[]): TransactionRequest => ({
    ...to,
    data: VERISUM_INTERFACE.encodeFunctionData(name, args),
  });
  const accounts = [...new Set([...members, ...clients.map(({ account }) => account)])];
  return [
    ...(fundWei === undefined ? [] : accounts.map((account) => transferTo(account, fundWei))),
    ...members.map((member) => ({
      label: memberLabel(member),
      request: call("registerMember", member),
      gas: REGISTRATION_GAS,
    })),
    ...clients.map(({ account, weight }) => ({
      label: clientLabel(account),
      request: call("registerClient", account, weight),
      gas: REGISTRATION_GAS,
    })),
  ];
}

/** Money for gas. */
export function transferTo(account: Hex, value: bigint): Step {
  return { label: `fund ${account}`, request: { to: account, value }, gas: TRANSFER_GAS };
}

/** What steps that nobody has sent yet will cost an account. */
export async function unpaid(sender: RecordedSender, account: Hex, steps: readonly Step[]): Promise<Payment[]> {
  const payments: Payment[] = [];
  for (const { label, gas, request } of steps)
    if (!(await sender.isUnderWay(label))) payments.push({ account, gas, value: request.value ?? 0n });
  return payments;
}

/** Sends all steps one after the other, then waits for all. @throws as {@link RecordedSender} */
export async function sendAll(sender: RecordedSender, steps: readonly Step[]): Promise<void> {
  const sent = [];
  for (const { label, request } of steps) sent.push(await sender.send(label, request));
  for (const transaction of sent) await sender.mined(transaction);
}

/**
 * Labels of the roster's registrations that the contract does not know yet.
 * @throws ROSTER_INVALID if it would refuse one; ROLE_NOT_REGISTERED if the wallet is not the operator's; CHAIN_*
 *   errors
 */
export async function newRegistrations(reader: TaskReader, wallet: Wallet, roster: Roster): Promise<Set<string>> {
  const [operator, account] = [await reader.operator(), wallet.address.toLowerCase()];
  ensure(
    operator === account,
    "ROLE_NOT_REGISTERED",
    `the operator ${operator} alone lists members and clients, not ${account}`,
    { operator, account },
  );
  const parameters = await reader.parameters();
  checkRoster(parameters, roster);
  const members = await newMembers(reader, roster.members);
  const clients = await newClients(reader, parameters, roster.clients);
  return new Set([...members.map(memberLabel), ...clients.map((client) => clientLabel(client.account))]);
}

async function newMembers(reader: TaskReader, members: Roster["members"]): Promise<Roster["members"]> {
  const look = await reader.look();
  const seated = membersIn(look.seats, look.round.number + 1n);
  const fresh = members.filter((member) => !seated.includes(member));
  const seats = (await reader.parameters()).committeeSize - seated.length;
  ensure(
    fresh.length <= seats,
    "ROSTER_INVALID",
    `${seats} seats are free, and ${fresh.length} members are new: replace-member gives a seat to another one`,
  );
  return fresh;
}

async function newClients(
  reader: TaskReader,
  parameters: TaskParameters,
  clients: Roster["clients"],
): Promise<Roster["clients"]> {
  if (clients.length === 0) return clients;
  const fresh = [];
  for (const client of clients) {
    const { weight: given, untilRound } = await reader.client(client.account);
    const weight = untilRound === 0n ? given : 0;
    ensure(
      weight === 0 || weight === client.weight,
      "ROSTER_INVALID",
      `${client.account} is listed with weight ${weight}, not ${client.weight}: a weight stays what it is`,
    );
    if (weight === 0) fresh.push(client);
  }
  const listed = await Promise.all((await reader.clients()).map((account) => reader.client(account)));
  checkRoom(parameters, [...listed.filter(({ untilRound }) => untilRound === 0n), ...fresh]);
  return fresh;
}

/**
 * Not everybody registered is in one buffer: its sum holds what enters it.
 * @throws ROSTER_INVALID if one contract does not hold so many clients, or so much weight
 */
function checkRoom(
  parameters: Pick<TaskParameters, "bufferGoal">,
  clients: readonly { readonly weight: number }[],
): void {
  const most = isBuffer(parameters) ? MAX_REGISTERED : MAX_COHORT;
  const total = clients.reduce((sum, { weight }) => sum + weight, 0);
  ensure(
    clients.length <= most,
    "ROSTER_INVALID",
    `${clients.length} clients are more than the ${most} of one contract`,
  );
  ensure(
    isBuffer(parameters) || total <= MAX_TOTAL_WEIGHT,
    "ROSTER_INVALID",
    `the weights add up to ${total}, and a sum holds ${MAX_TOTAL_WEIGHT}`,
  );
}

const memberLabel = (account: Hex): string => `member ${account}`;
const clientLabel = (account: Hex): string => `client ${account}`;
