/** What the contract stores, and the rules that all of its calls share. */
import { keccak256, toUtf8Bytes, encodeBytes32String } from "ethers";
import type { SendName } from "../../../chain/contract-calls.ts";
import type { VerisumErrors, VerisumEvents, VerisumFunctions } from "../../../chain/generated/verisum.ts";
import type { EventName } from "../../../chain/logs.ts";
import { revertOf, VERISUM_INTERFACE } from "../../../chain/rpc.ts";
import { PHASES } from "../../../chain/task-chain.ts";
import type { ModelRecord, Phase, TaskContext } from "../../../chain/task-chain.ts";
import type { G1 } from "../../../protocol/points.ts";
import type { TaskParameters } from "../../../protocol/task.ts";
import type { Hex, IntakeRecord } from "../../../protocol/transcript.ts";

/** A client that registered once. */
export interface Client {
  weight: bigint;
  activeFromRound: bigint;
  /** 0 while it stays. */
  untilRound: bigint;
  lastSubmittedRound: bigint;
  /** Settlements that count it. */
  includedRounds: bigint;
  refusals: bigint;
  bondWei: bigint;
  moved: boolean;
}

/** Before `fromRound` it is the former member's. */
export interface Seat {
  member: Hex;
  fromRound: bigint;
  former: Hex;
}

/** The current round, or the last one that closed. */
export interface Header {
  readonly number: bigint;
  phase: Phase;
  deadline: bigint;
  readonly expected: number;
  submitted: number;
  totalWeight: bigint;
  readonly keyMask: bigint;
}

export interface State {
  readonly context: TaskContext;
  readonly parameters: TaskParameters;
  readonly parametersHash: Hex;
  readonly operator: Hex;
  /** Seat 1 first. */
  readonly seats: Seat[];
  readonly successors: Map<Hex, Hex>;
  listChanges: number;
  /** By round and seat, with a space between. */
  readonly roundKeys: Map<string, Hex>;
  readonly clients: Map<Hex, Client>;
  keyWindowStart: bigint;
  header: Header;
  sum: G1;
  /** Of the current round, by index. */
  records: IntakeRecord[];
  /** The intake until the round settles, then the settlement. */
  roundHash: Hex;
  proposedMembers: bigint;
  included: bigint;
  /** Whom statements of the round refused for good. */
  refused: bigint;
  model: ModelRecord;
  /** Of every model, by its number. */
  readonly modelDigests: Hex[];
  finalisedRounds: number;
  privacySpent: bigint;
  /** The hash of each client's last step of a large submission. */
  readonly progress: Map<Hex, Hex>;
}

/** One call: on which state, by whom, with how much, when, and where its events go. */
export interface Call {
  readonly state: State;
  readonly sender: Hex;
  readonly valueWei: bigint;
  /** The block's timestamp in Unix seconds. */
  readonly now: bigint;
  readonly emit: <N extends EventName>(name: N, args: VerisumEvents[N]) => void;
}

/** Functions of the contract, with the arguments that its interface gives them. */
export type Calls<N extends SendName<VerisumFunctions>> = {
  readonly [Name in N]: (call: Call, ...args: VerisumFunctions[Name]["inputs"]) => VerisumFunctions[Name]["output"];
};

/** Refuses the call with the contract's own error. @throws CHAIN_REVERTED */
export function revert<N extends keyof VerisumErrors>(name: N, evidence: VerisumErrors[N]): never {
  const values = new Map<string, unknown>(Object.entries(evidence));
  const fragment = VERISUM_INTERFACE.getError(name)!;
  const data = VERISUM_INTERFACE.encodeErrorResult(
    fragment,
    fragment.inputs.map((input) => values.get(input.name)),
  );
  throw revertOf({ code: "CALL_EXCEPTION", data })!;
}

/** A short text as the contract's `bytes32`. */
export function label(text: string): Hex {
  return encodeBytes32String(text) as Hex;
}

export function phaseNumber(phase: Phase): bigint {
  return BigInt(PHASES.indexOf(phase));
}

/** @throws CHAIN_REVERTED (VerisumWrongPhase) */
export function requirePhase(call: Call, ...allowed: readonly Phase[]): void {
  const { phase } = headerNow(call);
  if (allowed.includes(phase)) return;
  const mask = allowed.reduce((bits, each) => bits | (1n << phaseNumber(each)), 0n);
  revert("VerisumWrongPhase", { actual: phaseNumber(phase), allowed: mask });
}

/** The header at the block's time: where enough clients are in at its deadline, Collecting has become Attesting. */
export function headerNow({ state: { header, parameters }, now }: Call): Header {
  if (header.phase === "Collecting" && now >= header.deadline && header.submitted >= parameters.minClients) {
    header.phase = "Attesting";
    header.deadline += BigInt(parameters.attestSeconds);
  }
  return header;
}

/** The header, if the round is the current one. @throws CHAIN_REVERTED (VerisumWrongRound) */
export function headerOf(call: Call, round: bigint): Header {
  const header = headerNow(call);
  if (header.number !== round) revert("VerisumWrongRound", { current: header.number, given: round });
  return header;
}

/** The header of the current round in this phase. */
export function headerIn(call: Call, round: bigint, phase: Phase): Header {
  const header = headerOf(call, round);
  requirePhase(call, phase);
  return header;
}

/** The same before its deadline. */
export function activeHeader(call: Call, round: bigint, phase: Phase): Header {
  const header = headerIn(call, round, phase);
  if (call.now >= header.deadline) revert("VerisumDeadlinePassed", { deadline: header.deadline, timestamp: call.now });
  return header;
}

/** Members of a round, the current or the next one, by seat. */
export function membersIn({ seats }: State, round: bigint): Hex[] {
  return seats.map(({ member, fromRound, former }) => (fromRound <= round ? member : former));
}

export function isOpen({ phase }: Header): boolean {
  return phase === "Collecting" || phase === "Attesting" || phase === "Aggregating";
}

/** The sender's seat in the next round. @throws CHAIN_REVERTED (VerisumNotMember) */
export function requireMember({ state, sender }: Call): number {
  const seat = state.seats.findIndex(({ member }) => member === sender) + 1;
  if (seat === 0) revert("VerisumNotMember", { caller: sender });
  return seat;
}

export function requireLength(field: string, actual: number | bigint, expected: number | bigint): void {
  if (BigInt(actual) === BigInt(expected)) return;
  revert("VerisumWrongLength", { field: label(field), actual: BigInt(actual), expected: BigInt(expected) });
}

export function seatBit(seat: number): bigint {
  return 1n << BigInt(seat - 1);
}

export function countBits(mask: bigint): number {
  return mask.toString(2).replaceAll("0", "").length;
}

/** Bits of the first `count` clients. */
export function allOf(count: number): bigint {
  return (1n << BigInt(count)) - 1n;
}

/** Clients of the next round. */
export function registered(state: State): Client[] {
  return [...state.clients.values()].filter(({ untilRound }) => untilRound === 0n);
}

/** A hash of anything that is made of texts and integers; it stands for the contract's hash of the ABI encoding. */
export function hashOf(value: unknown): Hex {
  const text = JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? `${part}n` : part));
  return keccak256(toUtf8Bytes(text)) as Hex;
}
