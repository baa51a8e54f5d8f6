/** How a round settles: contracts/Settling.sol in TypeScript. */
import type { Attestation, ExcludedClient } from "../../../chain/generated/verisum.ts";
import { isSignedBySeat } from "../../../chain/statement-signatures.ts";
import { negateG1 } from "../../../protocol/points.ts";
import { smallestInclusion } from "../../../protocol/task.ts";
import type { Hex } from "../../../protocol/transcript.ts";
import { recordHashOf, settlementOf } from "../../../protocol/transcript.ts";
import { requireSeat, signedBy } from "./rounds.ts";
import { allOf, countBits, headerIn, membersIn, revert, seatBit } from "./state.ts";
import type { Call, Calls, Client, State } from "./state.ts";
import { addWeighted } from "./submissions.ts";

export const settling: Calls<"settle"> = {
  settle(call, round, statements, members, excluded) {
    const { state, now, emit } = call;
    const header = headerIn(call, round, "Attesting");
    if (now >= header.deadline) {
      if (statements.length > 0 || members !== 0n)
        revert("VerisumDeadlinePassed", { deadline: header.deadline, timestamp: now });
      if (state.proposedMembers === 0n) revert("VerisumNoProposal", {});
      takeEffect(call, excluded);
      return;
    }
    const { included, isConclusive, refused } = count(state, statements, members);
    const required = smallestInclusion(state.parameters, header.submitted);
    if (countBits(included) < required)
      revert("VerisumTooFewIncluded", { included: BigInt(countBits(included)), required: BigInt(required) });
    requireBetter(state, countBits(included), isConclusive ? Infinity : countBits(members));
    state.refused |= refused;
    Object.assign(state, { included, proposedMembers: members });
    if (isConclusive) takeEffect(call, excluded);
    else if (excluded.length > 0) revert("VerisumNotExcluded", { index: excluded[0]!.index });
    else emit("Proposed", { round, members, included });
  },
};

/** Checks every statement. @returns what all of `members` found good, and whether all others are refused by too many */
function count(
  state: State,
  statements: readonly Attestation[],
  members: bigint,
): { readonly included: bigint; readonly isConclusive: boolean; readonly refused: bigint } {
  const { parameters, header } = state;
  const everybody = allOf(header.submitted);
  let [included, attested, previous] = [everybody, 0n, 0n];
  for (const { seat, good, refused, signature } of statements) {
    requireSeat(state, previous, seat);
    previous = seat;
    if (((good | refused) & ~everybody) !== 0n)
      revert("VerisumUnknownClients", { seat, bitmap: good | refused, submitted: BigInt(header.submitted) });
    if ((good & refused) !== 0n) revert("VerisumContradiction", { seat, clients: good & refused });
    const said = { round: header.number, intake: state.roundHash, good, refused, ...signedBy(seat, signature) };
    if (!isSignedBySeat(state.context, membersIn(state, header.number), "Attestation", said))
      revert("VerisumAttestationInvalid", { seat });
    attested |= seatBit(Number(seat));
    if ((members & seatBit(Number(seat))) !== 0n) included &= good;
  }
  if ((members & ~attested) !== 0n) revert("VerisumNotAttested", { members, attested });
  const seats = countBits(members);
  if (seats < parameters.quorum)
    revert("VerisumNoQuorum", { members: BigInt(seats), quorum: BigInt(parameters.quorum) });
  const refused = Array.from({ length: header.submitted }, (_, i) => 1n << BigInt(i))
    .filter(
      (client) =>
        statements.filter((statement) => (statement.refused & client) !== 0n).length >
        parameters.committeeSize - parameters.quorum,
    )
    .reduce((all, client) => all | client, 0n);
  return { included, refused, isConclusive: (everybody & ~included & ~refused) === 0n };
}

function takeEffect({ state, now, emit }: Call, excluded: readonly ExcludedClient[]): void {
  const { parameters, header, included, roundHash: intake, proposedMembers: members } = state;
  let missing = allOf(header.submitted) & ~included;
  for (const { index, record } of excluded) {
    const known = state.records[Number(index)];
    if ((missing & (1n << index)) === 0n) revert("VerisumNotExcluded", { index });
    const given = { ...record, weight: Number(record.weight) };
    if (known === undefined || recordHashOf(header.number, known) !== recordHashOf(header.number, given))
      revert("VerisumRecordMismatch", { index });
    missing ^= 1n << index;
    state.sum = addWeighted(state.sum, negateG1(record.commitment), record.weight);
    header.totalWeight -= record.weight;
    if (parameters.maxRefusals !== 0 && (state.refused & (1n << index)) !== 0n) countRefusal(state, record.client);
  }
  if (missing !== 0n) revert("VerisumExcludedMissing", { missing });
  for (const [i, { client }] of state.records.entries())
    if ((included & (1n << BigInt(i))) !== 0n) entryOf(state, client).includedRounds += 1n;
  state.privacySpent += parameters.privacyCostPerRound;
  const { number: round, totalWeight } = header;
  const { sum } = state;
  const settlement = settlementOf({ round, intake, included, totalWeight: Number(totalWeight), sum });
  state.roundHash = settlement;
  header.phase = "Aggregating";
  header.deadline = now + BigInt(parameters.aggregateSeconds);
  emit("Settled", { round, settlement, intake, included, members, totalWeight, sum });
}

/** Whoever took the client's place since it submitted has its counts. */
function entryOf({ clients, successors }: State, account: Hex): Client {
  const client = clients.get(account)!;
  return client.moved ? clients.get(successors.get(account)!)! : client;
}

function countRefusal(state: State, account: Hex): void {
  const client = entryOf(state, account);
  if (client.refusals !== 255n) client.refusals += 1n;
}

/** More clients, or as many with more members. */
function requireBetter({ proposedMembers, included }: State, clients: number, members: number): void {
  if (proposedMembers === 0n) return;
  const [standing, standingMembers] = [countBits(included), countBits(proposedMembers)];
  if (clients < standing || (clients === standing && members <= standingMembers))
    revert("VerisumProposalNotBetter", { included: BigInt(standing), members: BigInt(standingMembers) });
}
