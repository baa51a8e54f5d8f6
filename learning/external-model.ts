/**
 * A model that only its trainers know: the task's document lists its tensors, by name and shape, and says which of them
 * are trained. The others are frozen: trainers have them already, and no vector, checkpoint or proof holds them.
 */
import { z } from "zod";
import { ensure } from "../protocol/errors.ts";
import type { ParameterShape } from "./layers/layer.ts";
import { isOfKind, parsedDescription } from "./model-description.ts";

const MAX_TENSORS = 10_000;
const MAX_RANK = 8;

const tensorName = z
  .string()
  .min(1)
  .max(256)
  .refine((name) => name !== "__metadata__" && name !== "__proto__", "the name is reserved");
const option = z.union([z.string().max(1000), z.number(), z.boolean()]);

const externalSchema = z.strictObject({
  kind: z.literal("external"),
  /** In the order of the vector. */
  parameters: z
    .array(
      z.strictObject({
        name: tensorName,
        shape: z.array(z.int().min(1)).max(MAX_RANK),
        /** Of a frozen tensor: SHA-256 of its values as every trainer has to have them, little-endian, in rows. */
        sha256: z
          .string()
          .regex(/^[0-9a-f]{64}$/)
          .optional(),
      }),
    )
    .min(1)
    .max(MAX_TENSORS),
  /** Names of those that are trained; all of them if absent. */
  trainable: z.array(tensorName).min(1).max(MAX_TENSORS).optional(),
  /** What every trainer is told, in every round. */
  options: z.record(z.string().min(1).max(100), option).optional(),
});

export type ExternalModel = z.infer<typeof externalSchema>;

/** What a task tells its trainers. */
export type TrainerOptions = NonNullable<ExternalModel["options"]>;

/** True if a model's description says that it is external, be it right or wrong otherwise. */
export function isExternal(description: unknown): boolean {
  return isOfKind(description, "external");
}

/** Validates an external model's description. @throws MODEL_DESCRIPTION_INVALID */
export function parseExternal(description: unknown): ExternalModel {
  const data = parsedDescription(externalSchema, description);
  const names = data.parameters.map(({ name }) => name);
  const known = new Set(names);
  requireDistinct("parameters", names);
  requireDistinct("trainable", data.trainable ?? []);
  const stranger = data.trainable?.find((name) => !known.has(name));
  ensure(stranger === undefined, "MODEL_DESCRIPTION_INVALID", `trainable names ${stranger}, which is no parameter`);
  const trained = new Set(data.trainable ?? names);
  const bound = data.parameters.find(({ name, sha256 }) => sha256 !== undefined && trained.has(name));
  ensure(
    bound === undefined,
    "MODEL_DESCRIPTION_INVALID",
    `${bound?.name} is trained, and a digest binds what nobody changes: leave sha256 out, or the name out of trainable`,
  );
  return data;
}

/** One tensor of a model, as trainers are told of it. */
export interface ModelParameter extends ParameterShape {
  /** False if it is frozen. */
  readonly trained: boolean;
  /** Of a frozen one, where the task binds its values. */
  readonly sha256?: string;
}

/** All tensors in the order of the task's document. @throws MODEL_DESCRIPTION_INVALID */
export function modelParameters(description: unknown): ModelParameter[] {
  const { parameters, trainable } = parseExternal(description);
  const trained = new Set(trainable ?? parameters.map(({ name }) => name));
  return parameters.map(({ name, shape, sha256 }) => ({
    ...{ name, shape, trained: trained.has(name) },
    ...(sha256 === undefined ? {} : { sha256 }),
  }));
}

/** The tensors that are trained, in the order of the vector. @throws MODEL_DESCRIPTION_INVALID */
export function trainableTensors(description: unknown): ParameterShape[] {
  return shapesOf(modelParameters(description).filter(({ trained }) => trained));
}

/** The tensors that trainers have already and nobody changes. @throws MODEL_DESCRIPTION_INVALID */
export function frozenTensors(description: unknown): ParameterShape[] {
  return shapesOf(modelParameters(description).filter(({ trained }) => !trained));
}

function shapesOf(parameters: readonly ModelParameter[]): ParameterShape[] {
  return parameters.map(({ name, shape }) => ({ name, shape }));
}

function requireDistinct(what: string, names: readonly string[]): void {
  const seen = new Set<string>();
  const repeated = names.find((name) => seen.size === seen.add(name).size);
  ensure(repeated === undefined, "MODEL_DESCRIPTION_INVALID", `${what} names ${repeated} twice`);
}
