/** Members' signatures over attestations, releases and results, as the contract checks them. */
import type { Wallet } from "ethers";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import { membersIn } from "./lists.ts";
import type { SeatTerm } from "./lists.ts";
import type { Attestation, CompactSignature, Release, SeatSignature, SignedResult, TaskContext } from "./task-chain.ts";
import { messageDigest, recoverSigner, signMessage } from "./typed-data.ts";
import type { Message } from "./typed-data.ts";

/** What members sign, by its EIP-712 type. */
export interface StatementKinds {
  readonly Attestation: Attestation;
  readonly Release: Release;
  readonly Result: SignedResult;
}

export type StatementKind = keyof StatementKinds;

/** The fields that are signed and no others: a statement has more. */
const MESSAGES: { readonly [K in StatementKind]: (statement: StatementKinds[K]) => Message<K> } = {
  Attestation: ({ round, intake, good, refused }) => ({ round, intake, good, refused }),
  Release: ({ round, settlement, releaseCid }) => ({ round, settlement, releaseCid }),
  Result: ({ round, settlement, aggregateCid, aggregateDigest, modelCid, modelDigest }) => ({
    ...{ round, settlement, aggregateCid, aggregateDigest, modelCid, modelDigest },
  }),
};

/** Signs a statement. The private key stays in the wallet. */
export function signStatement<K extends StatementKind>(
  wallet: Wallet,
  context: TaskContext,
  kind: K,
  statement: StatementKinds[K],
): Promise<CompactSignature> {
  return signMessage(wallet, context, kind, MESSAGES[kind](statement));
}

/**
 * The address that signed a statement. High s is refused, as the contract refuses it.
 * @throws SIGNATURE_INVALID if it is no signature
 */
export function recoverStatementSigner<K extends StatementKind>(
  context: TaskContext,
  kind: K,
  statement: StatementKinds[K],
  signature: CompactSignature,
): Hex {
  return recoverSigner(context, kind, MESSAGES[kind](statement), signature);
}

/**
 * Checks that a statement is signed by the member on its seat.
 * @param members by seat, seat 1 first
 * @throws SIGNATURE_INVALID
 */
export function checkStatement<K extends StatementKind>(
  context: TaskContext,
  members: readonly Hex[],
  kind: K,
  statement: StatementKinds[K] & SeatSignature,
): void {
  const { seat, signature } = statement;
  const member = members[seat - 1];
  if (member === undefined || recoverStatementSigner(context, kind, statement, signature) !== member.toLowerCase())
    throw new VerisumError(
      "SIGNATURE_INVALID",
      `the ${kind.toLowerCase()} is not signed by the member on seat ${seat}`,
      {
        seat,
      },
    );
}

/**
 * The same of a round whose seats may have had other members before and after.
 * @throws SIGNATURE_INVALID; SEAT_REPLACED if the signer has the seat in other rounds only
 */
export function checkStatementInRound<K extends StatementKind>(
  context: TaskContext,
  terms: readonly SeatTerm[],
  kind: K,
  statement: StatementKinds[K] & SeatSignature,
): void {
  try {
    checkStatement(context, membersIn(terms, statement.round), kind, statement);
  } catch (error) {
    if (!isVerisumError(error, "SIGNATURE_INVALID")) throw error;
    const { seat, round } = statement;
    // Only where the seat had other members a signature is worth a second look.
    const [current] = membersIn(terms, round).slice(seat - 1, seat);
    const others = terms.filter((term) => term.seat === seat && term.member !== current);
    if (others.length === 0) throw error;
    const signer = recoverStatementSigner(context, kind, statement, statement.signature);
    const term = others.findLast(({ member }) => member === signer);
    if (term === undefined) throw error;
    const until = term.untilRound === undefined ? "" : `, and before round ${term.untilRound}`;
    throw new VerisumError(
      "SEAT_REPLACED",
      `the ${kind.toLowerCase()} of round ${round} is signed by ${signer}, who has seat ${seat} from round ${term.fromRound} on${until}`,
      { seat, round, signer },
      { cause: error },
    );
  }
}

/** Whether a statement is signed by the member on its seat. @param members by seat, seat 1 first */
export function isSignedBySeat<K extends StatementKind>(
  context: TaskContext,
  members: readonly Hex[],
  kind: K,
  statement: StatementKinds[K] & SeatSignature,
): boolean {
  try {
    checkStatement(context, members, kind, statement);
    return true;
  } catch (error) {
    if (!isVerisumError(error, "SIGNATURE_INVALID")) throw error;
    return false;
  }
}

/** keccak-256("\x19\x01" ‖ domain separator ‖ struct hash). */
export function statementDigest<K extends StatementKind>(
  context: TaskContext,
  kind: K,
  statement: StatementKinds[K],
): Hex {
  return messageDigest(context, kind, MESSAGES[kind](statement));
}
