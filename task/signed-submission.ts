/** Submissions as JSON: in a client's journal, and signed on their way to a relayer. */
import { z } from "zod";
import { VerisumError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { SignedSubmission } from "../chain/task-chain.ts";

const word = z.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-f]{64}$/.test(value));
const account = z.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-f]{40}$/.test(value));
/** Decimal; 78 digits hold any 32-byte word. */
const integer = z
  .string()
  .regex(/^[0-9]{1,78}$/)
  .transform(BigInt);
const g1 = z.strictObject({ x: integer, y: integer });
const fp2 = z.strictObject({ c0: integer, c1: integer });

/** A submission; the task's layout and the contract say how long its lists are. */
export const submissionSchema = z.strictObject({
  base: integer,
  commitment: g1,
  sharesCid: word,
  shareHashes: z.array(word),
  chunks: z.array(
    z.strictObject({ d: g1, a: g1, b: z.strictObject({ x: fp2, y: fp2 }), c: g1, y: integer, h: integer }),
  ),
  shareEvaluations: z.array(integer),
  opening: g1,
});

const signedSchema = z.strictObject({
  client: account,
  submission: submissionSchema,
  signature: z.strictObject({ r: word, vs: word }),
});

/** Bytes of JSON: a chunk has twelve numbers of up to 78 digits, each with a short name. */
const CHUNK_JSON_BYTES = 1600;
const WORD_JSON_BYTES = 100;
const HEAD_JSON_BYTES = 4096;

/** The longest JSON of a signed submission with these lengths. */
export function signedSubmissionBytes(
  chunks: number,
  { committeeSize, threshold }: { readonly committeeSize: number; readonly threshold: number },
): number {
  return HEAD_JSON_BYTES + chunks * CHUNK_JSON_BYTES + (committeeSize + threshold) * WORD_JSON_BYTES;
}

export function signedSubmissionJson(signed: SignedSubmission): string {
  return JSON.stringify(plain(signed));
}

/** @throws ENCODING_NOT_CANONICAL */
export function parseSignedSubmission(value: unknown): SignedSubmission {
  const parsed = signedSchema.safeParse(value);
  if (!parsed.success) throw new VerisumError("REQUEST_INVALID", "not a signed submission");
  return parsed.data;
}

/** The value with bigints as decimal text. */
export function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? item.toString() : item)));
}
