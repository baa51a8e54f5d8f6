/**
 * What a ceremony publishes: small files that prove who multiplied delta and sigma of which key, in which order. Every
 * file names the one before by its digest.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { VerisumError } from "../../protocol/errors.ts";
import { g1FromJson, g2FromJson } from "../../protocol/key-json.ts";
import { PRESETS } from "../../protocol/parameters.ts";
import type { PresetName } from "../../protocol/parameters.ts";
import { strictJson } from "../../protocol/strict-json.ts";
import { contributorName } from "../groth16/manifest.ts";

/** Changes with what is hashed or proven. */
export const SETUP_FORMAT = "verisum-setup/1";
export const START_FILE = "start.json";
export const POWERS_RECORD_FILE = "powers-record.bin";
/** So many contributions a ceremony may have; a reader looks at no more. */
export const MAX_CONTRIBUTIONS = 256;
/** With the start and the record of the powers. */
export const MAX_TRANSCRIPT_FILES = MAX_CONTRIBUTIONS + 2;
const MAX_ITERATION_BITS = 24;

/** Why a transcript or a contribution is refused: the value of `details.rule`. */
export type CeremonyRule =
  | "malformed"
  | "name"
  | "name-repeats"
  | "order"
  | "previous"
  | "kinds"
  | "infinity"
  | "skipped"
  | "proof"
  | "delta-forms"
  | "same-secret"
  | "beacon"
  | "powers-record"
  | "files"
  | "keys"
  | "transcript"
  | "contributors";

/** The secrets that phase 2 makes for each kind. */
export const SECRETS = ["delta", "sigma"] as const;
export type SecretName = (typeof SECRETS)[number];

const hex = z.string().regex(/^[0-9a-f]{64}$/);
const g1 = z.unknown().transform((json) => g1FromJson(json));
const g2 = z.unknown().transform((json) => g2FromJson(json));
const filesSchema = z.strictObject({ zkey: hex, wireBases: hex });
export type KindFiles = z.infer<typeof filesSchema>;

const startSchema = z.strictObject({
  format: z.literal(SETUP_FORMAT),
  preset: z.enum(Object.keys(PRESETS) as PresetName[]),
  /** Where the powers of tau come from. */
  source: z.strictObject({
    fileSha256: hex,
    power: z.int().min(1).max(28),
    ceremonyPower: z.int().min(1).max(28),
    recordSha256: hex,
  }),
  /** [tau^i]_1 in the key folder. */
  powers: z.strictObject({ count: z.int().positive(), sha256: hex }),
  alpha: g1,
  beta: g2,
  tau: g2,
  kinds: z
    .array(
      z.strictObject({
        name: z.string(),
        constraints: hex,
        circuitHash: z.string().max(100),
        publicBases: z.array(g1).min(1),
        files: filesSchema,
      }),
    )
    .min(1),
});
/** The first file: powers, circuits, and the keys with delta = sigma = 1. */
export type SetupStart = z.infer<typeof startSchema>;

const proofSchema = z.strictObject({
  commitment: g2,
  response: z
    .string()
    .regex(/^0x[0-9a-f]{1,64}$/)
    .transform((text) => BigInt(text)),
});
/** Schnorr's proof of knowledge of a factor. */
export type FactorProof = z.infer<typeof proofSchema>;

const pointsSchema = { name: z.string(), delta1: g1, delta2: g2, sigma2: g2, files: filesSchema };
const partySchema = z.strictObject({
  ...pointsSchema,
  proofs: z.strictObject({ delta: proofSchema, sigma: proofSchema }),
});
const beaconKindSchema = z.strictObject(pointsSchema);
const common = { format: z.literal(SETUP_FORMAT), index: z.int().positive(), previous: hex, name: contributorName };
const contributionSchema = z.union([
  z.strictObject({ ...common, kinds: z.array(partySchema).min(1) }),
  z.strictObject({
    ...common,
    beacon: z.strictObject({
      value: z.string().regex(/^([0-9a-f]{2}){16,64}$/),
      iterationBits: z.int().min(0).max(MAX_ITERATION_BITS),
    }),
    kinds: z.array(beaconKindSchema).min(1),
  }),
]);
/** One party's contribution, or a beacon's, whose secrets everybody can compute afterwards but nobody before. */
export type Contribution = z.infer<typeof contributionSchema>;
export type Beacon = Extract<Contribution, { beacon: unknown }>["beacon"];
/** One kind of a party's contribution. */
export type PartyKind = z.infer<typeof partySchema>;
/** One kind's secrets after a contribution. */
export type KindPoints = Pick<PartyKind, "delta1" | "delta2" | "sigma2">;

export function ceremonyRefused(
  rule: CeremonyRule,
  why: string,
  details: Readonly<Record<string, string | number>> = {},
  cause?: unknown,
): VerisumError {
  return new VerisumError("CEREMONY_REFUSED", `setup refused: ${why} (${rule})`, { rule, ...details }, { cause });
}

/** Name of the file of the contribution with this index, from 1. */
export function contributionFile(index: number): string {
  return `contribution-${String(index).padStart(3, "0")}.json`;
}

/** A name as the keys will say it. @throws CEREMONY_REFUSED */
export function parseContributorName(text: string): string {
  if (contributorName.safeParse(text).success) return text;
  throw ceremonyRefused("name", "a name has up to 80 letters, digits, single spaces and .,&'@()+_-", { name: text });
}

/** @throws CEREMONY_REFUSED */
export function parseStart(bytes: Uint8Array): SetupStart {
  return parse(startSchema, bytes, START_FILE);
}

/** @throws CEREMONY_REFUSED; whether it holds is `verify-transcript.ts`'s to say */
export function parseContribution(bytes: Uint8Array, index: number): Contribution {
  return parse(contributionSchema, bytes, contributionFile(index));
}

function parse<T>(schema: z.ZodType<T>, bytes: Uint8Array, file: string): T {
  try {
    return schema.parse(strictJson(bytes));
  } catch (cause) {
    const issue = cause instanceof z.ZodError ? cause.issues[0] : undefined;
    const said = cause instanceof SyntaxError ? `: ${cause.message}` : "";
    const where = issue === undefined ? said : `: ${issue.path.join(".")} ${issue.message}`;
    throw ceremonyRefused(
      issue?.path[0] === "name" ? "name" : "malformed",
      `${file} is malformed${where}`,
      { file },
      cause,
    );
  }
}

/** The digest by which the next file names this one. */
export function fileDigest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
