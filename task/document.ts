/** `task.json`: what a task trains and how, by CID in the contract's parameters. */
import { z } from "zod";
import { preprocessingSchema } from "../learning/preprocessing.ts";
import { tableSchema } from "../learning/tables/schema.ts";
import { CLASS_WEIGHT_LIMITS, OPTIONAL_TRAINING_LIMITS, TRAINING_LIMITS } from "../learning/trainers/limits.ts";
import { optimiserSchema } from "../learning/trainers/optimiser.ts";
import { addressFault } from "../protocol/address.ts";
import { VerisumError } from "../protocol/errors.ts";
import { withoutControls } from "../protocol/plain-text.ts";
import { readJson } from "../protocol/strict-json.ts";
import { PRESETS } from "../protocol/parameters.ts";
import type { Hex } from "../protocol/transcript.ts";
import { privacyRequestSchema, privacySchema } from "./mechanisms/registry.ts";
import { numberWithin } from "./numbers.ts";
import { dyadicSchema, serverSchema } from "./server-schema.ts";
import { stalenessSchema } from "./staleness.ts";

const trainingSchema = z.strictObject({
  learningRate: numberWithin(TRAINING_LIMITS.learningRate),
  momentum: numberWithin(TRAINING_LIMITS.momentum),
  batchSize: numberWithin(TRAINING_LIMITS.batchSize),
  localEpochs: numberWithin(TRAINING_LIMITS.localEpochs),
  /** Steps of another kind than SGD's. Of the built-in models only, as all that follows. */
  optimiser: optimiserSchema.optional(),
  weightDecay: numberWithin(OPTIONAL_TRAINING_LIMITS.weightDecay).optional(),
  /** In the order of the model's classes: how much an example of each counts in the loss. */
  classWeights: z.array(numberWithin(CLASS_WEIGHT_LIMITS)).min(2).max(65_536).optional(),
  privacy: privacySchema.optional(),
  /** In a task that takes updates of bases behind the newest model: how much they count. */
  staleness: stalenessSchema.optional(),
});

/** What a terminal shows without moving its cursor. @param kept a character that may be there all the same */
function isPlain(kept: string): (text: string) => boolean {
  return (text) => withoutControls(text, kept) === text;
}

export const documentSchema = z.strictObject({
  version: z.literal(1),
  /** Shown as it is by whatever lists tasks. */
  name: z.string().min(1).max(100).refine(isPlain(""), "a control character"),
  description: z.string().max(2000).refine(isPlain("\n"), "a control character"),
  preset: z.enum(Object.keys(PRESETS) as [keyof typeof PRESETS]),
  /** Validated by the trainer that builds it. */
  model: z.record(z.string(), z.unknown()),
  training: trainingSchema,
  /** What clients' tables have to be; absent where the data is no table, or each client sees to it. */
  data: tableSchema.optional(),
  /** How other data becomes the model's inputs, and what the classes are called; for tables `data` says it. */
  preprocessing: preprocessingSchema.optional(),
  quantisation: z.strictObject({
    /** One step is 2^−stepBits of a weight; at the start, if it is adaptive. */
    stepBits: z.int().min(0).max(20),
    /** L2 norm to which an update is clipped, in steps. */
    clipSteps: z
      .int()
      .positive()
      .max(2 ** 23),
    /** Lets the step, and the clip norm with it, follow a quantile of the clients' update norms. */
    adaptive: z
      .strictObject({
        /** Share of clients whose update shall pass unclipped. */
        quantile: dyadicSchema.refine(
          ({ numerator, denominatorBits }) => numerator > 0 && numerator < 2 ** denominatorBits,
          "a quantile is between 0 and 1",
        ),
        /** Octaves that the level moves in a round for each unit by which that share is off. */
        octavesPerRound: dyadicSchema.refine(
          ({ numerator, denominatorBits }) => numerator > 0 && numerator <= 4 * 2 ** denominatorBits,
          "at most 4 octaves",
        ),
        /** The step stays within so many octaves of 2^−stepBits, either way. */
        maxOctaves: z.int().min(1).max(8),
        /** What a client's vote adds to its vector. */
        voteSteps: z.int().positive().max(2047),
      })
      .optional(),
  }),
  /** How a sum moves the model. */
  server: serverSchema,
  /** The contract that lists the task's cells; absent for a task of one contract. */
  cells: z.strictObject({ group: z.templateLiteral(["0x", z.string().regex(/^[0-9a-f]{40}$/)]) }).optional(),
  /** Digest of the directory with the proving keys, so that a new participant needs only the contract. */
  keysCid: z.templateLiteral(["0x", z.string().regex(/^[0-9a-f]{64}$/)]),
});

export type TaskDocument = z.infer<typeof documentSchema>;

/** An address as people write it, in the lower case that documents have. */
const addressSchema = z
  .string()
  .superRefine((text, context) => {
    const message = addressFault(text);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  })
  .transform((text) => text.toLowerCase() as Hex);

/** The part of a document that an operator writes; only its noise may be missing. */
export const documentRequestSchema = documentSchema.omit({ keysCid: true, version: true }).extend({
  training: trainingSchema.extend({ privacy: privacyRequestSchema.optional() }),
  cells: z.strictObject({ group: addressSchema }).optional(),
});
export type DocumentRequest = z.infer<typeof documentRequestSchema>;

export const TASK_FILE = "task.json";
export const MAX_DOCUMENT_BYTES = 1 << 20;

/** The directory that a task's CID names. */
export function taskFiles(document: TaskDocument): Record<string, Uint8Array> {
  return { [TASK_FILE]: new TextEncoder().encode(`${JSON.stringify(document, undefined, 2)}\n`) };
}

/** @throws TASK_DOCUMENT_INVALID with the first problem's place */
export function parseTaskDocument(bytes: Uint8Array): TaskDocument {
  const parsed = documentSchema.safeParse(readJson(bytes, TASK_FILE, "TASK_DOCUMENT_INVALID"));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new VerisumError(
      "TASK_DOCUMENT_INVALID",
      `${TASK_FILE}: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`,
    );
  }
  return parsed.data;
}
