/**
 * What a task says of its clients' tables: which columns, in which order, how each becomes numbers. Clients with the
 * same schema feed the model the same inputs, however their files are laid out.
 */
import { z } from "zod";
import { PER_CHANNEL, SHORTEST } from "../series/haar.ts";
import { scaleConstant } from "../scale-constant.ts";

const MAX_COLUMNS = 65_536;
const MAX_WINDOW = 1_000_000;
/** Most classes, also where a table states none. */
export const MAX_CLASSES = 65_536;
const name = z.string().min(1).max(200);
const finite = z.number();
const distinctNames = z
  .array(name)
  .max(MAX_CLASSES)
  .refine((names) => new Set(names).size === names.length, "a name twice");

/** A feature: a number, one of some words, or a day. */
const columnSchema = z.discriminatedUnion("type", [
  z.strictObject({ name, type: z.literal("number") }),
  /** One value for each word, in this order: 1 for the one that it is, 0 for the others. */
  z.strictObject({ name, type: z.literal("category"), values: distinctNames.min(2) }),
  /** Days since 1970-01-01 of an ISO 8601 date or time, fractions included. */
  z.strictObject({ name, type: z.literal("date") }),
]);
export type ColumnSchema = z.infer<typeof columnSchema>;

const missingSchema = z.discriminatedUnion("policy", [
  /** The data is refused; the default. */
  z.strictObject({ policy: z.literal("refuse"), markers: distinctNames.optional() }),
  z.strictObject({ policy: z.literal("drop-row"), markers: distinctNames.optional() }),
  /** By column, before scaling; a column that is not named refuses. */
  z.strictObject({
    policy: z.literal("constant"),
    markers: distinctNames.optional(),
    values: z.record(name, z.union([finite, z.string()])),
  }),
]);
export type MissingPolicy = z.infer<typeof missingSchema>;

export const tableSchema = z
  .strictObject({
    /** The column with the label. */
    label: name,
    /** Its values, in the order of the model's classes; where the label is a number to predict, `target` instead. */
    classes: distinctNames.min(2).optional(),
    /** (value − mean) / stdDev is what the model answers with. */
    target: z.strictObject({ mean: finite.default(0), stdDev: scaleConstant.default(1) }).optional(),
    /** Features in the order of the model's inputs. */
    columns: z.array(columnSchema).min(1).max(MAX_COLUMNS),
    missing: missingSchema.default({ policy: "refuse" }),
    /** Of number and date columns: (value − mean) / stdDev goes into the model. */
    scaling: z.record(name, z.strictObject({ mean: finite, stdDev: scaleConstant })).default({}),
    /** Examples are windows of so many rows, cut at this step from rows that follow one another. */
    window: z.strictObject({ length: z.int().min(1).max(MAX_WINDOW), step: z.int().min(1).max(MAX_WINDOW) }).optional(),
    /** What is computed from each window, in place of its scaled values (series/haar.ts). */
    features: z.literal("haar").optional(),
  })
  .superRefine(({ label, classes, target, columns, missing, scaling, window, features }, context) => {
    const refuse = (path: readonly (string | number)[], message: string): void =>
      context.addIssue({ code: "custom", path: [...path], message });
    if ((classes === undefined) === (target === undefined))
      refuse(["classes"], "either classes, or target where the label is a number to predict");
    if (target !== undefined && window !== undefined) refuse(["target"], "windows have classes");
    if (features !== undefined && (window === undefined || window.length < SHORTEST))
      refuse(["features"], `needs windows of at least ${SHORTEST} rows`);
    const byName = new Map<string, ColumnSchema>();
    columns.forEach((column, i) => {
      if (column.name === label) refuse(["columns", i], "the label is no feature");
      if (byName.has(column.name)) refuse(["columns", i], `the column ${column.name} twice`);
      byName.set(column.name, column);
    });
    for (const scaled of Object.keys(scaling)) {
      const type = byName.get(scaled)?.type;
      if (type === undefined || type === "category")
        refuse(["scaling", scaled], "no number or date column has this name");
    }
    for (const [filled, value] of Object.entries(missing.policy === "constant" ? missing.values : {})) {
      const column = byName.get(filled);
      if (column === undefined) refuse(["missing", "values", filled], "no column has this name");
      else if (column.type === "category" ? !column.values.includes(String(value)) : typeof value !== "number")
        refuse(["missing", "values", filled], `not a value of a ${column.type} column`);
    }
  });
export type TableSchema = z.infer<typeof tableSchema>;

/** Values that a column gives the model. */
export function widthOf(column: ColumnSchema): number {
  return column.type === "category" ? column.values.length : 1;
}

/** Values of one example. */
export function inputWidthOf({ columns, window, features }: TableSchema): number {
  const perRow = columns.reduce((sum, column) => sum + widthOf(column), 0);
  return perRow * (features === undefined ? (window?.length ?? 1) : PER_CHANNEL);
}
