/**
 * How to feed a model and how to read what it gives. All of it follows from the task's document, so members that sign a
 * checkpoint and auditors that compute it again write the same bytes.
 */
import { z } from "zod";
import { isExternal } from "../learning/external-model.ts";
import { architectureOf, parseMember } from "../learning/model.ts";
import { preprocessingSchema } from "../learning/preprocessing.ts";
import { isStatistics } from "../learning/statistics/statistics-model.ts";
import { tableSchema } from "../learning/tables/schema.ts";
import type { TaskDocument } from "./document.ts";

export const interfaceSchema = z.strictObject({
  inputs: z.strictObject({
    /** Of one example; null for a model that only its trainers know. */
    shape: z.array(z.int()).nullable(),
    /** Of tables: the label, features by name in the order of the inputs, categories, missing values, scaling. */
    table: tableSchema.nullable(),
    /** Of other data: how stored values become inputs. */
    preprocessing: preprocessingSchema.nullable(),
  }),
  outputs: z
    .strictObject({
      /** A score for each class, before softmax. */
      kind: z.literal("classes"),
      count: z.int(),
      /** In the order of the scores; null where the document names none. */
      names: z.array(z.string()).nullable(),
    })
    /** A number, in the scale of the task's targets. */
    .or(z.strictObject({ kind: z.literal("regression") }))
    .nullable(),
  /**
   * First to last, member by member of an ensemble, every option written out: what each computes is in the documents,
   * its tensors are in this order.
   */
  layers: z.array(z.looseObject({ kind: z.string(), tensors: z.array(z.string()) })).nullable(),
});

export type ModelInterface = z.infer<typeof interfaceSchema>;

/** @throws MODEL_DESCRIPTION_INVALID */
export function modelInterface({
  model: description,
  data,
  preprocessing,
}: Pick<TaskDocument, "model" | "data" | "preprocessing">): ModelInterface {
  const said = { table: sorted(data ?? null), preprocessing: sorted(preprocessing ?? null) };
  if (isExternal(description) || isStatistics(description))
    return { inputs: { shape: null, ...said }, outputs: null, layers: null };
  const model = parseMember(description);
  return {
    inputs: { shape: [...model.inputShape], ...said },
    outputs:
      model.classCount === undefined
        ? { kind: "regression" }
        : { kind: "classes", count: model.classCount, names: data?.classes ?? preprocessing?.classes ?? null },
    layers: architectureOf(description).map(({ tensors, ...options }) => ({
      ...sorted(options),
      tensors: [...tensors],
    })),
  };
}

/** Keys in the order of their characters, whatever order a parser of documents left them in. */
function sorted<T>(value: T): T {
  if (Array.isArray(value)) return value.map(sorted) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value as Record<string, unknown>).filter(([, item]) => item !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sorted(item)]),
  ) as T;
}
