/** The privacy mechanisms that a task can ask for. A new one is a file beside this one and an entry here. */
import { z } from "zod";
import { clientLevel } from "./client-level.ts";
import { exampleLevel } from "./example-level.ts";
import type { Cohort, Mechanism } from "./mechanism.ts";
import { noNoise } from "./no-noise.ts";

export const MECHANISMS = [exampleLevel, clientLevel] as const;

type Kind = (typeof MECHANISMS)[number];
type Some<T> = [T, ...T[]];

/** `training.privacy` of a document. */
export const privacySchema = z.discriminatedUnion(
  "unit",
  MECHANISMS.map(({ schema }) => schema) as Some<Kind["schema"]>,
);
/** As an operator may write it: the noise may be missing, and follows from a target epsilon. */
export const privacyRequestSchema = z.discriminatedUnion(
  "unit",
  MECHANISMS.map(({ requestSchema }) => requestSchema) as Some<Kind["requestSchema"]>,
);

export type PrivacySettings = z.infer<typeof privacySchema>;
export type PrivacyRequest = z.infer<typeof privacyRequestSchema>;

/** What protects a task's clients, by its document's `training.privacy`. */
export function mechanismOf(privacy: PrivacySettings | undefined): Mechanism {
  return privacy === undefined ? noNoise : kindOf(privacy).mechanism(privacy as never);
}

/**
 * Fills in the least noise that keeps all rounds within epsilon.
 * @throws PRIVACY_PARAMETERS_INVALID
 */
export function withLeastNoise(
  epsilon: number,
  request: PrivacyRequest,
  cohort: Cohort,
  rounds: number,
): PrivacySettings {
  return kindOf(request).withNoiseFor(epsilon, request as never, cohort, rounds);
}

/** The entry whose schema these settings passed; they are what its functions take. */
function kindOf({ unit }: PrivacyRequest): Kind {
  return MECHANISMS.find((kind) => kind.unit === unit)!;
}
