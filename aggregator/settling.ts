/** What members' statements let a round settle on, and the call that does it. */
import type { AttestationStatement, RoundState } from "../chain/task-chain.ts";
import { bestProposal, bitCount, hasSeat, isBetter, isConclusive, seatsMask } from "../protocol/committee.ts";
import type { Proposal } from "../protocol/committee.ts";
import { smallestInclusion } from "../protocol/task.ts";
import type { TaskParameters } from "../protocol/task.ts";

/** A set of clients with the statements that support it. */
export interface Choice extends Proposal {
  readonly statements: readonly AttestationStatement[];
  /** It takes effect at once; otherwise it can only be proposed. */
  readonly isConclusive: boolean;
}

type Rules = Pick<TaskParameters, "committeeSize" | "quorum" | "minClients" | "maxCorrupt" | "maxRefusals">;

/**
 * The largest set of clients that a quorum's statements support: with few statements where it takes effect at once,
 * with the most members where it has to stand against other proposals. Undefined if no admissible one is supported.
 * @param said one statement of each seat over the round's intake
 */
export function chooseSettlement(
  said: readonly AttestationStatement[],
  round: Pick<RoundState, "submitted" | "keyMask">,
  rules: Rules,
): Choice | undefined {
  const { submitted } = round;
  const statements = said.filter((statement) => isTakenBy(round, statement));
  const best = bestProposal(
    new Map(statements.map(({ seat, good }) => [seat, good])),
    rules.quorum,
    smallestInclusion(rules, submitted),
    submitted,
  );
  if (best === undefined) return undefined;
  const { included } = best;
  const isFinal = (chosen: readonly AttestationStatement[]): boolean =>
    isConclusive(
      included,
      chosen.map(({ refused }) => refused),
      submitted,
      rules,
    );
  const isMember = ({ seat }: AttestationStatement): boolean => hasSeat(best.members, seat);
  const members = statements.filter(isMember);
  if (!isFinal(statements)) {
    // Refusals that are not brought with the proposal that stands at last are not counted.
    const refuses = ({ refused }: AttestationStatement): boolean => rules.maxRefusals > 0 && (refused & ~included) > 0n;
    const brought = statements.filter((statement) => isMember(statement) || refuses(statement));
    return { ...best, statements: brought, isConclusive: false };
  }
  // Those that refuse most first: each statement costs gas.
  const byRefusals = (a: AttestationStatement, b: AttestationStatement): number =>
    bitCount(b.refused) - bitCount(a.refused);
  const quorum = members.toSorted(byRefusals).slice(0, rules.quorum);
  const others = statements.filter((statement) => !quorum.includes(statement)).toSorted(byRefusals);
  const chosen = [...quorum];
  for (const statement of others) if (!isFinal(chosen)) chosen.push(statement);
  return {
    included,
    members: seatsMask(quorum.map(({ seat }) => seat)),
    statements: chosen.toSorted((a, b) => a.seat - b.seat),
    isConclusive: true,
  };
}

/** Whether the contract takes it beside the proposal that stands, which others' statements may have supported. */
export function replaces(choice: Choice, { proposedMembers, included }: RoundState): boolean {
  return choice.isConclusive
    ? bitCount(choice.included) >= bitCount(included)
    : isBetter(choice, { members: proposedMembers, included });
}

/** A statement that the contract refuses would take all others with it. */
function isTakenBy(
  { submitted, keyMask }: Pick<RoundState, "submitted" | "keyMask">,
  { seat, good, refused }: AttestationStatement,
): boolean {
  return hasSeat(keyMask, seat) && (good & refused) === 0n && (good | refused) >> BigInt(submitted) === 0n;
}
