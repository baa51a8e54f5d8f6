/**
 * Several models of one description as one: each member begins from a seed of its own and trains on its own bootstrap
 * of a client's data, and the mean of their answers is the answer (Breiman 1996, "Bagging predictors";
 * Lakshminarayanan et al. 2017). Their weights lie one after the other in one vector, so that a client proves and sends
 * them together.
 */
import { z } from "zod";
import type { Dataset } from "./examples.ts";
import { selectExamples } from "./examples.ts";
import { isOfKind, parsedDescription } from "./model-description.ts";
import { seededStream } from "./seeded-stream.ts";

const MOST_MEMBERS = 64;

/** A record is in several members' data, more than once in some, and the accounting is of one model. */
export const ENSEMBLE_PRIVACY =
  "an ensemble shows each record to several members, which the accounting of single records does not cover: protect whole clients, or train one model";

const ensembleSchema = z.strictObject({
  kind: z.literal("ensemble"),
  members: z.int().min(2).max(MOST_MEMBERS),
  /** Of one member; validated as a model of its own. */
  member: z.record(z.string(), z.unknown()),
});

export interface Members {
  readonly count: number;
  /** The description of one. */
  readonly member: unknown;
}

/** True if a model's description says that it is an ensemble, be it right or wrong otherwise. */
export function isEnsemble(description: unknown): boolean {
  return isOfKind(description, "ensemble");
}

/** A model's members: itself alone, unless it is an ensemble. @throws MODEL_DESCRIPTION_INVALID */
export function membersOf(description: unknown): Members {
  if (!isEnsemble(description)) return { count: 1, member: description };
  const { members, member } = parsedDescription(ensembleSchema, description);
  return { count: members, member };
}

/** What stands before the names of a member's tensors. @param member from 0 */
export function memberPrefix(member: number): string {
  return `member_${member + 1}.`;
}

/** The seed of one member's own choices. */
export function memberSeed(member: number, seed: number): number {
  return seededStream(`ensemble-member-${member}`, seed).below(2 ** 32);
}

/** As many examples as there are, drawn with replacement; the same ones in every round. */
export function bootstrapOf(data: Dataset, member: number): Dataset {
  const stream = seededStream(`bootstrap-${member}`, 0);
  return selectExamples(
    data,
    Uint32Array.from({ length: data.exampleCount }, () => stream.below(data.exampleCount)),
  );
}
