/**
 * A round from its opening to its result, with attesting.ts: contracts/Verisum.sol in TypeScript, except that openings
 * are not verified.
 */
import { decodeRound } from "../../../chain/codec.ts";
import type { RoundState as SolidityRoundState } from "../../../chain/generated/verisum.ts";
import { recoverResultSigner } from "../../../chain/result-signature.ts";
import type { RoundState, SignedResult } from "../../../chain/task-chain.ts";
import { isVerisumError } from "../../../protocol/errors.ts";
import { FIELD_ORDER } from "../../../protocol/parameters.ts";
import { equalG1, G1_INFINITY, negateG1 } from "../../../protocol/points.ts";
import type { Hex } from "../../../protocol/transcript.ts";
import {
  activeHeader,
  allOf,
  countBits,
  headerOf,
  label,
  phaseNumber,
  registered,
  requireLength,
  requireMember,
  requirePhase,
  revert,
  seatBit,
  ZERO_ADDRESS,
} from "./state.ts";
import type { Call, Calls, Header, State } from "./state.ts";
import { addWeighted } from "./submissions.ts";

export const rounds: Calls<"openRound" | "advance" | "settle" | "release" | "finalize"> = {
  openRound(call) {
    const { state, now, emit } = call;
    const { parameters, model } = state;
    requirePhase(call, "Idle", "Finalised", "Aborted");
    const expected = requireReady(state);
    const number = state.header.number + 1n;
    const keyMask = keyMaskOf(state, number);
    requireKeys(call, keyMask);
    const deadline = now + BigInt(parameters.collectSeconds);
    const empty = { submitted: 0, totalWeight: 0n, attestedMask: 0n, releaseMask: 0n };
    state.header = { number, phase: "Collecting", deadline, expected, keyMask, ...empty };
    Object.assign(state, { sum: G1_INFINITY, records: [], attestations: new Map(), proposedMembers: 0n, included: 0n });
    emit("RoundOpened", { round: number, baseModelCid: model.cid, baseModelDigest: model.digest, deadline, keyMask });
    return number;
  },

  advance(call, round) {
    const { state, now, emit } = call;
    const { minClients, attestSeconds } = state.parameters;
    const header = headerOf(call, round);
    requirePhase(call, "Collecting", "Attesting", "Aggregating");
    requireReached(call, header);
    if (header.phase === "Collecting" && header.submitted >= minClients) {
      enter(call, header, "Attesting", attestSeconds);
      return;
    }
    if (header.phase === "Attesting" && state.proposedMembers !== 0n) revert("VerisumProposalStands", {});
    const during = phaseNumber(header.phase);
    header.phase = "Aborted";
    state.keyWindowStart = now;
    emit("Aborted", { round, during });
  },

  settle(call, round, excluded) {
    const { state, emit } = call;
    const { parameters, included, proposedMembers: members } = state;
    const header = headerOf(call, round);
    requirePhase(call, "Attesting");
    if (members === 0n) revert("VerisumNoProposal", {});
    let missing = allOf(header.submitted) & ~included;
    if (missing !== 0n) requireReached(call, header);
    for (const { index, record } of excluded) {
      const known = state.records[Number(index)];
      if ((missing & (1n << index)) === 0n) revert("VerisumNotExcluded", { index });
      const { client, weight, commitment } = record;
      if (known?.client !== client || known.weight !== weight || !equalG1(known.commitment, commitment))
        revert("VerisumRecordMismatch", { index });
      missing ^= 1n << index;
      state.sum = addWeighted(state.sum, negateG1(commitment), weight);
      header.totalWeight -= weight;
    }
    if (missing !== 0n) revert("VerisumExcludedMissing", { missing });
    state.privacySpent += parameters.privacyCostPerRound;
    emit("Settled", { round, included, members, totalWeight: header.totalWeight, sum: state.sum });
    enter(call, header, "Aggregating", parameters.aggregateSeconds);
  },

  release(call, round, releaseCid) {
    const { state, emit } = call;
    const header = activeHeader(call, round, "Aggregating");
    const seat = requireMember(call);
    if ((header.releaseMask & seatBit(seat)) !== 0n) revert("VerisumAlreadyReleased", { seat: BigInt(seat) });
    const missing = state.included & ~(state.attestations.get(seat) ?? 0n);
    if (missing !== 0n) revert("VerisumReleaseNotAttested", { seat: BigInt(seat), missing });
    header.releaseMask |= seatBit(seat);
    emit("Released", { round, seat: BigInt(seat), releaseCid });
  },

  finalize(call, round, result, evaluation, opening, signers, signatures) {
    const { state, now, emit } = call;
    const header = activeHeader(call, round, "Aggregating");
    const { included, sum } = state;
    const signed = { ...result, round, included, totalWeight: Number(header.totalWeight), sum };
    checkSignatures(state, signed, signers, signatures);
    if (evaluation >= FIELD_ORDER) revert("VerisumNotCanonical", { field: label("evaluation"), value: evaluation });
    header.phase = "Finalised";
    state.model = { round, cid: result.modelCid, digest: result.modelDigest };
    state.finalisedRounds += 1;
    state.keyWindowStart = now;
    emit("Finalised", { round, result, evaluation, opening, signers, signatures });
  },
};

/** `round()` of the contract. */
export function roundOf({ header, proposedMembers, included, sum }: State): RoundState {
  const state: SolidityRoundState = {
    number: header.number,
    phase: phaseNumber(header.phase),
    deadline: header.deadline,
    expected: BigInt(header.expected),
    submitted: BigInt(header.submitted),
    keyMask: header.keyMask,
    releaseMask: header.releaseMask,
    totalWeight: header.totalWeight,
    included: proposedMembers === 0n ? 0n : included,
    proposedMembers,
    sum: header.submitted === 0 ? G1_INFINITY : sum,
  };
  return decodeRound(state);
}

/** Clients of the next round. @throws CHAIN_REVERTED if anything but keys is missing for it */
function requireReady(state: State): number {
  const { committeeSize, minClients, maxRounds, privacyCostPerRound: cost, privacyBudget: budget } = state.parameters;
  const { finalisedRounds, privacySpent: spent } = state;
  const [members, clients] = [state.members.length, registered(state).length];
  if (members !== committeeSize)
    revert("VerisumCommitteeIncomplete", { registered: BigInt(members), seats: BigInt(committeeSize) });
  if (clients < minClients)
    revert("VerisumTooFewClients", { registered: BigInt(clients), required: BigInt(minClients) });
  if (maxRounds !== 0 && finalisedRounds >= maxRounds)
    revert("VerisumRoundsExhausted", { maxRounds: BigInt(maxRounds) });
  if (budget !== 0n && spent + cost > budget) revert("VerisumBudgetExhausted", { spent, cost, budget });
  return clients;
}

function keyMaskOf({ members, roundKeys }: State, round: bigint): bigint {
  return members.reduce((mask, _, i) => (roundKeys.has(`${round} ${i + 1}`) ? mask | seatBit(i + 1) : mask), 0n);
}

function requireKeys({ state, now }: Call, keyMask: bigint): void {
  const { committeeSize, quorum, keyWindowSeconds } = state.parameters;
  const keys = countBits(keyMask);
  const waitUntil = state.keyWindowStart + BigInt(keyWindowSeconds);
  const required = now < waitUntil ? committeeSize : quorum;
  if (keys < required) revert("VerisumTooFewKeys", { keys: BigInt(keys), required: BigInt(required), waitUntil });
}

function requireReached({ now }: Call, { deadline }: Header): void {
  if (now < deadline) revert("VerisumDeadlineNotReached", { deadline, timestamp: now });
}

function enter({ now, emit }: Call, header: Header, phase: "Attesting" | "Aggregating", seconds: number): void {
  header.phase = phase;
  header.deadline = now + BigInt(seconds);
  emit("PhaseChanged", { round: header.number, phase: phaseNumber(phase), deadline: header.deadline });
}

function checkSignatures(
  { parameters, context, members }: State,
  result: SignedResult,
  signers: bigint,
  signatures: readonly (readonly [Hex, Hex])[],
): void {
  const count = countBits(signers);
  const { threshold } = parameters;
  if (count < threshold) revert("VerisumTooFewSignatures", { signatures: BigInt(count), threshold: BigInt(threshold) });
  requireLength("signatures", signatures.length, count);
  const seats = Array.from({ length: 32 }, (_, i) => i + 1).filter((seat) => (signers & seatBit(seat)) !== 0n);
  for (const [i, seat] of seats.entries()) {
    const [r, vs] = signatures[i]!;
    if (signerOf(() => recoverResultSigner(context, result, { r, vs })) !== members[seat - 1])
      revert("VerisumSignatureInvalid", { seat: BigInt(seat) });
  }
}

/** Who signed; the zero address, which is no member's, for what is no signature. */
function signerOf(recover: () => Hex): Hex {
  try {
    return recover();
  } catch (error) {
    if (!isVerisumError(error, "SIGNATURE_INVALID")) throw error;
    return ZERO_ADDRESS;
  }
}
