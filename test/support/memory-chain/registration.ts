/** Who takes part: contracts/Lists.sol in TypeScript. */
import { MAX_COHORT, MAX_ENDPOINT_BYTES, MAX_TOTAL_WEIGHT } from "../../../protocol/parameters.ts";
import { ZERO_WORD } from "../../../protocol/transcript.ts";
import type { Hex } from "../../../protocol/transcript.ts";
import { registered, requireMember, requirePhase, revert, ZERO_ADDRESS } from "./state.ts";
import type { Call, Calls } from "./state.ts";

export const registration: Calls<
  "registerMember" | "registerClient" | "join" | "unregister" | "withdrawBond" | "registerRoundKeys" | "announce"
> = {
  registerMember(call, member) {
    const { state, now, emit } = call;
    const { committeeSize } = state.parameters;
    requireOperator(call);
    requirePhase(call, "Idle");
    if (member === ZERO_ADDRESS) revert("VerisumZeroAddress", {});
    if (state.members.includes(member)) revert("VerisumAlreadyRegistered", { account: member });
    if (state.members.length === committeeSize) revert("VerisumCommitteeFull", { seats: BigInt(committeeSize) });
    state.members.push(member);
    state.keyWindowStart = now;
    emit("MemberRegistered", { seat: BigInt(state.members.length), member });
  },

  registerClient(call, client, weight) {
    const { openRegistration, uniformWeights } = call.state.parameters;
    requireOperator(call);
    if (openRegistration) revert("VerisumRegistrationMode", { open: true });
    if (client === ZERO_ADDRESS) revert("VerisumZeroAddress", {});
    if (weight === 0n || (uniformWeights && weight !== 1n)) revert("VerisumWeightInvalid", { weight });
    addClient(call, client, weight, 0n);
  },

  join(call) {
    const { state, sender, valueWei } = call;
    const { openRegistration, bondWei } = state.parameters;
    if (!openRegistration) revert("VerisumRegistrationMode", { open: false });
    if (valueWei !== bondWei) revert("VerisumWrongBond", { sentWei: valueWei, requiredWei: bondWei });
    const client = state.clients.get(sender);
    if (client !== undefined && client.weight === 0n && client.bondWei !== 0n)
      revert("VerisumBondPending", { bondWei: client.bondWei });
    addClient(call, sender, 1n, bondWei);
  },

  unregister(call) {
    const { state, sender, emit } = call;
    requirePhase(call, "Idle", "Attesting", "Aggregating", "Finalised", "Aborted");
    const client = state.clients.get(sender);
    if (client === undefined || client.weight === 0n)
      return revert("VerisumNotActiveClient", { caller: sender, activeFromRound: 0n });
    client.weight = 0n;
    client.activeFromRound = 0n;
    emit("ClientLeft", { client: sender });
  },

  withdrawBond({ state, sender, emit }) {
    const client = state.clients.get(sender);
    if (client === undefined || client.weight !== 0n || client.bondWei === 0n)
      return revert("VerisumNothingToWithdraw", { account: sender });
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

function addClient({ state, emit }: Call, account: Hex, weight: bigint, bondWei: bigint): void {
  const known = state.clients.get(account);
  if (known !== undefined && known.weight !== 0n) revert("VerisumAlreadyRegistered", { account });
  const others = registered(state);
  if (others.length === MAX_COHORT) revert("VerisumCohortFull", { limit: BigInt(MAX_COHORT) });
  const total = others.reduce((sum, client) => sum + client.weight, weight);
  if (total > MAX_TOTAL_WEIGHT) revert("VerisumWeightLimit", { total, limit: BigInt(MAX_TOTAL_WEIGHT) });
  const activeFromRound = state.header.number + 1n;
  const lastSubmittedRound = known?.lastSubmittedRound ?? 0n;
  state.clients.set(account, { weight, activeFromRound, lastSubmittedRound, bondWei });
  emit("ClientRegistered", { client: account, weight, activeFromRound });
}
