/** Who takes part: contracts/Lists.sol in TypeScript. */
import { ZERO_ADDRESS } from "../../../chain/lists.ts";
import { MAX_COHORT, MAX_ENDPOINT_BYTES, MAX_KEYS_AHEAD, MAX_TOTAL_WEIGHT } from "../../../protocol/parameters.ts";
import { largestParameter } from "../../../protocol/task.ts";
import { ZERO_WORD } from "../../../protocol/transcript.ts";
import type { Hex } from "../../../protocol/transcript.ts";
import { headerNow, isOpen, registered, requireMember, requirePhase, revert } from "./state.ts";
import type { Call, Calls, Client } from "./state.ts";

type Registration =
  | ("registerMember" | "replaceMember" | "registerRoundKeys" | "announce")
  | ("registerClient" | "join" | "removeClient" | "nameSuccessor" | "takePlace" | "withdrawBond");

export const registration: Calls<Registration> = {
  registerMember(call, member) {
    const { state, now } = call;
    const { committeeSize } = state.parameters;
    requireOperator(call);
    requirePhase(call, "Idle");
    if (member === ZERO_ADDRESS) revert("VerisumZeroAddress", {});
    requireFree(call, member);
    if (state.seats.length === committeeSize) revert("VerisumCommitteeFull", { seats: BigInt(committeeSize) });
    state.seats.push({ member, fromRound: 0n, former: ZERO_ADDRESS });
    state.keyWindowStart = now;
    seat(call, state.seats.length, member, 0n);
  },

  replaceMember(call, number, member) {
    const { state, sender } = call;
    const current = state.header.number;
    const place = state.seats[Number(number) - 1];
    if (place === undefined) return revert("VerisumNoSeat", { seat: number, seats: BigInt(state.seats.length) });
    if (sender !== place.member) requireOperator(call);
    if (member === ZERO_ADDRESS && current === 0n) revert("VerisumZeroAddress", {});
    if (member === place.member) revert("VerisumAlreadyRegistered", { account: member });
    if (member !== ZERO_ADDRESS) requireFree(call, member);
    if (place.fromRound <= current) place.former = place.member;
    Object.assign(place, { member, fromRound: current + 1n });
    for (let ahead = 1n; ahead <= BigInt(MAX_KEYS_AHEAD); ahead += 1n)
      state.roundKeys.delete(`${current + ahead} ${number}`);
    seat(call, Number(number), member, current + 1n);
  },

  registerClient(call, client, weight) {
    const { openRegistration, maxWeight } = call.state.parameters;
    requireOperator(call);
    if (openRegistration) revert("VerisumRegistrationMode", { open: true });
    if (client === ZERO_ADDRESS) revert("VerisumZeroAddress", {});
    if (weight === 0n || weight > maxWeight) revert("VerisumWeightInvalid", { weight, maxWeight: BigInt(maxWeight) });
    addClient(call, client, weight, 0n);
  },

  join(call) {
    const { state, sender, valueWei } = call;
    const { openRegistration, bondWei } = state.parameters;
    if (!openRegistration) revert("VerisumRegistrationMode", { open: false });
    if (valueWei !== bondWei) revert("VerisumWrongBond", { sentWei: valueWei, requiredWei: bondWei });
    const client = state.clients.get(sender);
    if (client !== undefined && client.untilRound !== 0n && client.bondWei !== 0n)
      revert("VerisumBondPending", { bondWei: client.bondWei });
    addClient(call, sender, 1n, bondWei);
  },

  removeClient(call, account) {
    const { state, sender } = call;
    const client = requireListed(call, account);
    const isOperator = sender === state.operator;
    if (sender !== account && !isOperator && !isBarred(call, client) && !isUsedUp(call, client))
      revert("VerisumMayNotRemove", { caller: sender, client: account, refusals: client.refusals });
    if (state.parameters.openRegistration && isOperator && account !== sender) client.refusals = 255n;
    end(call, account, client);
  },

  nameSuccessor(call, successor) {
    requireListed(call, call.sender);
    call.state.successors.set(call.sender, successor);
    call.emit("SuccessorNamed", { client: call.sender, successor });
  },

  takePlace(call, predecessor) {
    const { state, sender, emit } = call;
    if (state.successors.get(predecessor) !== sender) revert("VerisumNotSuccessor", { caller: sender, predecessor });
    const old = requireListed(call, predecessor);
    const { phase, number } = headerNow(call);
    if (old.activeFromRound > number || (phase === "Collecting" && old.lastSubmittedRound !== number))
      revert("VerisumPlaceInUse", { client: predecessor, round: number });
    if (state.clients.has(sender)) revert("VerisumAlreadyRegistered", { account: sender });
    const activeFromRound = number + 1n;
    state.clients.set(sender, { ...old, activeFromRound });
    Object.assign(old, { moved: true, bondWei: 0n });
    end(call, predecessor, old);
    state.listChanges++;
    emit("ClientRegistered", { client: sender, weight: old.weight, activeFromRound });
    emit("PlaceTaken", { predecessor, successor: sender });
  },

  withdrawBond(call) {
    const { state, sender, emit } = call;
    const client = state.clients.get(sender);
    if (client === undefined || client.untilRound === 0n || client.bondWei === 0n)
      return revert("VerisumNothingToWithdraw", { account: sender });
    const header = headerNow(call);
    if (header.number < client.untilRound && isOpen(header))
      revert("VerisumBondHeld", { account: sender, untilRound: client.untilRound });
    const amountWei = client.bondWei;
    client.bondWei = 0n;
    emit("BondWithdrawn", { client: sender, amountWei });
  },

  registerRoundKeys(call, firstRound, keys) {
    const { state, emit } = call;
    const seat = requireMember(call);
    const { number } = state.header;
    if (keys.length === 0) revert("VerisumNoKeys", {});
    if (firstRound <= number) revert("VerisumRoundAlreadyOpened", { firstRound, current: number });
    const [last, limit] = [firstRound + BigInt(keys.length) - 1n, number + BigInt(MAX_KEYS_AHEAD)];
    if (last > limit) revert("VerisumKeysTooFarAhead", { round: last, limit });
    for (const [i, key] of keys.entries()) {
      const round = firstRound + BigInt(i);
      if (key === ZERO_WORD) revert("VerisumZeroKey", { index: BigInt(i) });
      if (state.roundKeys.has(`${round} ${seat}`)) revert("VerisumKeyExists", { round, seat: BigInt(seat) });
      state.roundKeys.set(`${round} ${seat}`, key);
    }
    emit("RoundKeysRegistered", { seat: BigInt(seat), firstRound, keys });
  },

  announce({ sender, emit }, endpoint) {
    const length = Buffer.byteLength(endpoint);
    if (length > MAX_ENDPOINT_BYTES)
      revert("VerisumEndpointTooLong", { length: BigInt(length), limit: BigInt(MAX_ENDPOINT_BYTES) });
    emit("EndpointAnnounced", { account: sender, endpoint });
  },
};

function requireOperator({ state, sender }: Call): void {
  if (sender !== state.operator) revert("VerisumNotOperator", { caller: sender });
}

function requireFree({ state }: Call, account: Hex): void {
  if (state.seats.some(({ member }) => member === account)) revert("VerisumAlreadyRegistered", { account });
}

function seat({ state, emit }: Call, number: number, member: Hex, fromRound: bigint): void {
  state.listChanges++;
  emit("MemberRegistered", { seat: BigInt(number), member, fromRound });
}

function requireListed({ state }: Call, account: Hex): Client {
  const client = state.clients.get(account);
  if (client?.untilRound === 0n) return client;
  const { activeFromRound, untilRound } = client ?? { activeFromRound: 0n, untilRound: 0n };
  return revert("VerisumNotActiveClient", { client: account, activeFromRound, untilRound });
}

function isBarred({ state }: Call, { refusals }: Client): boolean {
  const { maxRefusals } = state.parameters;
  return refusals === 255n || (maxRefusals !== 0 && refusals >= maxRefusals);
}

export function isUsedUp({ state }: Call, { includedRounds }: Client): boolean {
  const { maxRoundsPerClient } = state.parameters;
  return maxRoundsPerClient !== 0 && includedRounds >= maxRoundsPerClient;
}

function end({ state, emit }: Call, account: Hex, client: Client): void {
  client.untilRound = state.header.number + 1n;
  state.listChanges++;
  emit("ClientLeft", { client: account, untilRound: client.untilRound });
}

function addClient(call: Call, account: Hex, weight: bigint, bondWei: bigint): void {
  const { state, emit } = call;
  const known = state.clients.get(account);
  const header = headerNow(call);
  if (known !== undefined) {
    const { activeFromRound, untilRound } = known;
    const isInRound = activeFromRound <= header.number && header.number < untilRound && isOpen(header);
    if (untilRound === 0n || isInRound) revert("VerisumAlreadyRegistered", { account });
    if (known.moved) revert("VerisumMovedOn", { client: account, successor: state.successors.get(account)! });
    if (isBarred(call, known)) revert("VerisumBarred", { client: account, refusals: known.refusals });
    if (isUsedUp(call, known)) revert("VerisumRoundsUsedUp", { client: account, includedRounds: known.includedRounds });
  }
  const others = registered(state);
  const isBuffer = state.parameters.bufferGoal !== 0;
  const limit = isBuffer ? Number(largestParameter("bufferGoal")) : MAX_COHORT;
  if (others.length === limit) revert("VerisumCohortFull", { limit: BigInt(limit) });
  const total = others.reduce((sum, client) => sum + client.weight, weight);
  if (!isBuffer && total > MAX_TOTAL_WEIGHT) revert("VerisumWeightLimit", { total, limit: BigInt(MAX_TOTAL_WEIGHT) });
  const activeFromRound = header.number + 1n;
  const counted = known ?? { lastSubmittedRound: 0n, includedRounds: 0n, refusals: 0n };
  state.clients.set(account, { ...counted, weight, activeFromRound, untilRound: 0n, bondWei, moved: false });
  state.listChanges++;
  emit("ClientRegistered", { client: account, weight, activeFromRound });
}
