/**
 * What members say of a round and sign, in the form in which nodes pass it on: which shares are good, and where the sum
 * of shares is. A statement names the intake or the settlement that it is of, so that one made on an abandoned fork is
 * not of the round.
 */
import { z } from "zod";
import { checkStatementInRound } from "../chain/statement-signatures.ts";
import type { AttestationStatement, ReleaseStatement, TaskReader } from "../chain/task-chain.ts";
import { VerisumError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";

/** A statement with the name of its kind. */
export type Statement =
  ({ readonly kind: "attestation" } & AttestationStatement) | ({ readonly kind: "release" } & ReleaseStatement);

const word = z.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-f]{64}$/.test(value));
const bitmap = word.transform(BigInt);
const signed = { seat: z.int().min(1).max(32), r: word, vs: word };
/** All of it but the round, which stands beside it. */
const statementSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("attestation"), intake: word, good: bitmap, refused: bitmap, ...signed }),
  z.strictObject({ kind: z.literal("release"), settlement: word, releaseCid: word, ...signed }),
]);

/** Of one statement of a round, as JSON. @throws REQUEST_INVALID */
export function parseStatement(round: bigint, json: unknown): Statement {
  const parsed = statementSchema.safeParse(json);
  if (!parsed.success) throw new VerisumError("REQUEST_INVALID", "not a member's statement");
  const { r, vs, ...rest } = parsed.data;
  return { round, ...rest, signature: { r, vs } };
}

/** The other way. */
export function statementJson(statement: Statement): z.input<typeof statementSchema> {
  const { seat, signature } = statement;
  return statement.kind === "release"
    ? { kind: "release", settlement: statement.settlement, releaseCid: statement.releaseCid, seat, ...signature }
    : {
        ...{ kind: "attestation", intake: statement.intake, seat, ...signature },
        ...{ good: wordOf(statement.good), refused: wordOf(statement.refused) },
      };
}

/**
 * Checks that the seat's member signed the statement, and that it does not contradict itself.
 * @throws SIGNATURE_INVALID; SEAT_REPLACED; STATEMENT_CONTRADICTORY; chain errors
 */
export async function checkOrigin(
  { context, seats }: Pick<TaskReader, "context" | "seats">,
  statement: Statement,
): Promise<void> {
  const { seat } = statement;
  if (statement.kind === "release") return checkStatementInRound(context, await seats(), "Release", statement);
  if ((statement.good & statement.refused) !== 0n)
    throw new VerisumError("STATEMENT_CONTRADICTORY", `seat ${seat} calls a share both good and wrong`, { seat });
  checkStatementInRound(context, await seats(), "Attestation", statement);
}

function wordOf(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, "0")}`;
}
