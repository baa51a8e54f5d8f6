/**
 * How rounds open and end: contracts/Verisum.sol in TypeScript, except that openings are not verified.
 */
import { decodeRound } from "../../../chain/codec.ts";
import type { Release, RoundState as SolidityRoundState } from "../../../chain/generated/verisum.ts";
import { roundAt } from "../../../chain/round-at.ts";
import { ZERO_ADDRESS } from "../../../chain/lists.ts";
import { isSignedBySeat } from "../../../chain/statement-signatures.ts";
import type { RoundState, SeatSignature, SignedResult } from "../../../chain/task-chain.ts";
import { isVerisumError } from "../../../protocol/errors.ts";
import { FIELD_ORDER } from "../../../protocol/parameters.ts";
import { G1_INFINITY } from "../../../protocol/points.ts";
import { ZERO_WORD } from "../../../protocol/transcript.ts";
import type { Hex } from "../../../protocol/transcript.ts";
import {
  countBits,
  headerIn,
  headerNow,
  headerOf,
  isOpen,
  label,
  membersIn,
  phaseNumber,
  registered,
  requireLength,
  requirePhase,
  revert,
  seatBit,
} from "./state.ts";
import type { Call, Calls, Header, State } from "./state.ts";

export const rounds: Calls<"openRound" | "abort" | "finalize"> = {
  openRound(call) {
    const header = headerNow(call);
    if (isOpen(header) && call.now >= header.deadline) abort(call, header);
    requirePhase(call, "Idle", "Finalised", "Aborted");
    return open(call);
  },

  abort(call, round) {
    const header = headerOf(call, round);
    requirePhase(call, "Collecting", "Attesting", "Aggregating");
    if (call.now < header.deadline)
      revert("VerisumDeadlineNotReached", { deadline: header.deadline, timestamp: call.now });
    abort(call, header);
  },

  finalize(call, round, result, evaluation, opening, releases, signers, signatures) {
    const { state, emit } = call;
    const header = headerIn(call, round, "Aggregating");
    const settlement = state.roundHash;
    checkReleases(state, round, releases);
    checkSignatures(state, { ...result, round, settlement }, signers, signatures);
    if (evaluation >= FIELD_ORDER) revert("VerisumNotCanonical", { field: label("evaluation"), value: evaluation });
    state.model = { round, cid: result.modelCid, digest: result.modelDigest };
    state.modelDigests.push(result.modelDigest);
    state.finalisedRounds += 1;
    emit("Finalised", { round, settlement, result, evaluation, opening, releases, signers, signatures });
    header.phase = "Finalised";
    try {
      open(call);
    } catch (error) {
      if (!isVerisumError(error, "CHAIN_REVERTED")) throw error;
    }
  },
};

/** Ends a round whose deadline has passed. */
function abort({ state, emit }: Call, header: Header): void {
  if (header.phase === "Attesting" && state.proposedMembers !== 0n) revert("VerisumProposalStands", {});
  emit("Aborted", { round: header.number, during: phaseNumber(header.phase) });
  header.phase = "Aborted";
}

/** Opens the next round. @throws CHAIN_REVERTED, before anything is changed, if it cannot open */
function open(call: Call): bigint {
  const { state, now, emit } = call;
  const { parameters, model } = state;
  const number = state.header.number + 1n;
  const clients = requireReady(state);
  const expected = parameters.bufferGoal === 0 ? clients : parameters.bufferGoal;
  const keyMask = keyMaskOf(state, number);
  requireKeys(call, keyMask);
  const deadline = now + BigInt(parameters.collectSeconds);
  state.header = { number, phase: "Collecting", deadline, expected, keyMask, submitted: 0, totalWeight: 0n };
  const nothing = { roundHash: ZERO_WORD, proposedMembers: 0n, included: 0n, refused: 0n };
  Object.assign(state, { sum: G1_INFINITY, records: [], keyWindowStart: now, ...nothing });
  const base = { baseModel: BigInt(state.finalisedRounds), baseModelCid: model.cid, baseModelDigest: model.digest };
  emit("RoundOpened", { round: number, ...base, deadline, keyMask });
  return number;
}

/** `round()` of the contract in a block of this time. */
export function roundOf(contract: State, time: number): RoundState {
  const { header, parameters, proposedMembers, included, sum, roundHash } = contract;
  const isSettled = header.phase === "Aggregating" || header.phase === "Finalised";
  const isCounting = header.phase === "Collecting" || header.phase === "Attesting";
  const state: SolidityRoundState = {
    number: header.number,
    phase: phaseNumber(header.phase),
    deadline: header.deadline,
    expected: BigInt(header.expected),
    submitted: BigInt(header.submitted),
    keyMask: header.keyMask,
    totalWeight: header.totalWeight,
    included: proposedMembers === 0n ? 0n : included,
    proposedMembers,
    sum: header.submitted === 0 ? G1_INFINITY : sum,
    intake: isCounting ? roundHash : ZERO_WORD,
    settlement: isSettled ? roundHash : ZERO_WORD,
  };
  return roundAt(decodeRound(state), parameters, time);
}

/** Clients of the next round. @throws CHAIN_REVERTED if anything but keys is missing for it */
function requireReady(state: State): number {
  const { committeeSize, minClients, bufferGoal, minSeparation, maxRounds } = state.parameters;
  const { privacyCostPerRound: cost, privacyBudget: budget } = state.parameters;
  const { finalisedRounds, privacySpent: spent } = state;
  const [members, clients] = [state.seats.length, registered(state).length];
  if (members !== committeeSize)
    revert("VerisumCommitteeIncomplete", { registered: BigInt(members), seats: BigInt(committeeSize) });
  if (clients < minClients)
    revert("VerisumTooFewClients", { registered: BigInt(clients), required: BigInt(minClients) });
  const goal = bufferGoal * minSeparation;
  if (clients < goal) revert("VerisumGoalUnreachable", { registered: BigInt(clients), required: BigInt(goal) });
  if (maxRounds !== 0 && finalisedRounds >= maxRounds)
    revert("VerisumRoundsExhausted", { maxRounds: BigInt(maxRounds) });
  if (budget !== 0n && spent + cost > budget) revert("VerisumBudgetExhausted", { spent, cost, budget });
  return clients;
}

function keyMaskOf({ seats, roundKeys }: State, round: bigint): bigint {
  return seats.reduce((mask, _, i) => (roundKeys.has(`${round} ${i + 1}`) ? mask | seatBit(i + 1) : mask), 0n);
}

function requireKeys({ state, now }: Call, keyMask: bigint): void {
  const { committeeSize, quorum, keyWindowSeconds } = state.parameters;
  const keys = countBits(keyMask);
  const waitUntil = state.keyWindowStart + BigInt(keyWindowSeconds);
  const seats = committeeSize - state.seats.filter(({ member }) => member === ZERO_ADDRESS).length;
  const required = now < waitUntil ? Math.max(seats, quorum) : quorum;
  if (keys < required) revert("VerisumTooFewKeys", { keys: BigInt(keys), required: BigInt(required), waitUntil });
}

function checkReleases(state: State, round: bigint, releases: readonly Release[]): void {
  const { threshold } = state.parameters;
  if (releases.length < threshold)
    revert("VerisumTooFewReleases", { releases: BigInt(releases.length), threshold: BigInt(threshold) });
  let previous = 0n;
  for (const { seat, releaseCid, signature } of releases) {
    requireSeat(state, previous, seat);
    previous = seat;
    const statement = { round, settlement: state.roundHash, releaseCid, ...signedBy(seat, signature) };
    if (!isSignedBySeat(state.context, membersIn(state, round), "Release", statement))
      revert("VerisumReleaseInvalid", { seat });
  }
}

/** Seats of statements ascend, and have a key. */
export function requireSeat({ header }: State, previous: bigint, seat: bigint): void {
  if (seat <= previous) revert("VerisumSeatOrder", { previous, seat });
  if ((header.keyMask & seatBit(Number(seat))) === 0n) revert("VerisumNoRoundKey", { seat });
}

export function signedBy(seat: bigint, [r, vs]: readonly [Hex, Hex]): SeatSignature {
  return { seat: Number(seat), signature: { r, vs } };
}

function checkSignatures(
  state: State,
  result: SignedResult,
  signers: bigint,
  signatures: readonly (readonly [Hex, Hex])[],
): void {
  const count = countBits(signers);
  const { threshold } = state.parameters;
  if (count < threshold) revert("VerisumTooFewSignatures", { signatures: BigInt(count), threshold: BigInt(threshold) });
  requireLength("signatures", signatures.length, count);
  const seats = Array.from({ length: 32 }, (_, i) => i + 1).filter((seat) => (signers & seatBit(seat)) !== 0n);
  for (const [i, seat] of seats.entries())
    if (
      !isSignedBySeat(state.context, membersIn(state, result.round), "Result", {
        ...result,
        ...signedBy(BigInt(seat), signatures[i]!),
      })
    )
      revert("VerisumSignatureInvalid", { seat: BigInt(seat) });
}
