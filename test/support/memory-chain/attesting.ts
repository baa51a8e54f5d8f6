/** What members hold, and the sets of clients that follow from it: contracts/Verisum.sol in TypeScript. */
import { smallestInclusion } from "../../../protocol/task.ts";
import { activeHeader, allOf, countBits, requireMember, revert, seatBit } from "./state.ts";
import type { Calls, State } from "./state.ts";

export const attesting: Calls<"attest" | "propose"> = {
  attest(call, round, bitmap) {
    const { state, emit } = call;
    const header = activeHeader(call, round, "Attesting");
    const seat = requireMember(call);
    if ((header.keyMask & seatBit(seat)) === 0n) revert("VerisumNoRoundKey", { seat: BigInt(seat) });
    if (bitmap >> BigInt(header.submitted) !== 0n)
      revert("VerisumUnknownClients", { bitmap, submitted: BigInt(header.submitted) });
    const before = state.attestations.get(seat) ?? 0n;
    const united = before | bitmap;
    if (united === before) revert("VerisumNothingNew", { seat: BigInt(seat) });
    state.attestations.set(seat, united);
    header.attestedMask |= seatBit(seat);
    emit("Attested", { round, seat: BigInt(seat), bitmap: united });
  },

  propose(call, round, members) {
    const { state, emit } = call;
    const { parameters } = state;
    const header = activeHeader(call, round, "Attesting");
    if ((members & ~header.attestedMask) !== 0n)
      revert("VerisumNotAttested", { members, attested: header.attestedMask });
    const count = countBits(members);
    if (count < parameters.quorum)
      revert("VerisumNoQuorum", { members: BigInt(count), quorum: BigInt(parameters.quorum) });
    const included = commonOf(state, members);
    const required = smallestInclusion(parameters, header.submitted);
    if (countBits(included) < required)
      revert("VerisumTooFewIncluded", { included: BigInt(countBits(included)), required: BigInt(required) });
    requireBetter(state, countBits(included), count);
    Object.assign(state, { included, proposedMembers: members });
    emit("Proposed", { round, members, included });
  },
};

/** Clients that all of these members attested. */
function commonOf({ attestations }: State, members: bigint): bigint {
  return [...attestations].reduce(
    (common, [seat, bitmap]) => ((members & seatBit(seat)) === 0n ? common : common & bitmap),
    allOf(256),
  );
}

/** More clients, or as many with more members. */
function requireBetter({ proposedMembers, included }: State, clients: number, members: number): void {
  if (proposedMembers === 0n) return;
  const [standing, standingMembers] = [countBits(included), countBits(proposedMembers)];
  if (clients < standing || (clients === standing && members <= standingMembers))
    revert("VerisumProposalNotBetter", { included: BigInt(standing), members: BigInt(standingMembers) });
}
