/**
 * What a task says of data that is no table, such as pixels: by which constants values become a model's inputs, and
 * what the classes are called. Clients that follow it feed the model the same inputs, and a checkpoint that repeats it
 * can be used by people who know nothing else of the task.
 */
import { z } from "zod";
import type { LoadedData } from "./examples.ts";
import { invalidSpec } from "./formats/options.ts";
import { MAX_CLASSES } from "./tables/schema.ts";
import type { TableSchema } from "./tables/schema.ts";
import { scaleConstant } from "./scale-constant.ts";

const MAX_VALUES = 65_536;
const MAX_NAME = 200;

/** One number for all values of an example, or one for each column or channel. */
const constants = z.union([z.number(), z.array(z.number()).min(1).max(MAX_VALUES)]);
const positiveConstants = z.union([scaleConstant, z.array(scaleConstant).min(1).max(MAX_VALUES)]);

export const preprocessingSchema = z
  .strictObject({
    /** Values as they are stored are divided by it: 255 for bytes, 16 for the digits, 1 for what is taken as it is. */
    divisor: scaleConstant,
    /** Subtracted then, and what divides the difference. Both absent with `features`. */
    mean: constants.optional(),
    stdDev: positiveConstants.optional(),
    /** Computed from the quotients in place of scaling: gradient histograms, or energies of windows. */
    features: z.enum(["hog", "haar"]).optional(),
    /** In the order of the model's classes. */
    classes: z
      .array(z.string().min(1).max(MAX_NAME))
      .min(2)
      .max(MAX_CLASSES)
      .refine((names) => new Set(names).size === names.length, "a name twice"),
  })
  .refine(
    ({ mean, stdDev, features }) =>
      (mean === undefined) === (stdDev === undefined) && (mean === undefined || features === undefined),
    "mean and stdDev go together, and features have a scaling of their own",
  );
export type Preprocessing = z.infer<typeof preprocessingSchema>;

/** What a task's document says of its clients' data: of tables, or of other values. */
export type DataRules = TableSchema | Preprocessing;

/** What a task's document says of its data, if anything: it has one of the two at most. */
export function dataRulesOf(
  document: { readonly data?: TableSchema | undefined; readonly preprocessing?: Preprocessing | undefined } | undefined,
): DataRules | undefined {
  return document?.data ?? document?.preprocessing;
}

export function isPreprocessing(rules: DataRules): rules is Preprocessing {
  return !("columns" in rules);
}

/** What it needs to know of a format. */
interface ValueFormat {
  readonly name: string;
  readonly optionNames: readonly string[];
  /** What the format divides stored values by; 1 if absent. */
  readonly divisor?: number;
  /** How it scales the quotients, where no option decides it. */
  readonly scaling?: { readonly mean: number; readonly stdDev: number };
  /** Whether classes are called by words, which the option `classes` puts in order. */
  readonly namesClasses?: boolean;
}

/**
 * The options with those that the task decides.
 * @throws DATASET_SPEC_INVALID if one says something else, or the format divides by another number or scales nothing
 */
export function withPreprocessing(
  options: ReadonlyMap<string, string>,
  { divisor, mean, stdDev, features, classes }: Preprocessing,
  { name, optionNames, divisor: found = 1, scaling, namesClasses = false }: ValueFormat,
): ReadonlyMap<string, string> {
  if (found !== divisor)
    throw invalidSpec(`the task's values are divided by ${divisor}, and ${name} data is divided by ${found}`);
  if (scaling !== undefined && (mean !== scaling.mean || stdDev !== scaling.stdDev))
    throw invalidSpec(
      `${name} data is scaled by mean ${scaling.mean} and stdDev ${scaling.stdDev}, and the task's by others`,
    );
  const scaled = features === undefined && optionNames.includes("mean");
  if (mean !== undefined && !scaled && scaling === undefined)
    throw invalidSpec(`the task scales values, and ${name} data has scalings of its own`);
  const decided: Readonly<Record<string, string | undefined>> = {
    mean: scaled ? String(mean ?? 0) : undefined,
    deviation: scaled ? String(stdDev ?? 1) : undefined,
    features,
    ...(namesClasses ? { classes: classes.map(encodeURIComponent).join(",") } : {}),
  };
  for (const [option, value] of Object.entries(decided)) {
    const said = options.get(option);
    if (said !== undefined && said !== value)
      throw invalidSpec(`the task's document has ${option} ${value ?? "absent"}, not ${said}; leave it out`);
  }
  const known = Object.entries(decided).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return new Map([...options, ...known]);
}

/**
 * The data with the task's classes.
 * @throws DATASET_SPEC_INVALID if it has more of them, or calls them otherwise
 */
export function withClasses(data: LoadedData, { classes }: Preprocessing): LoadedData {
  const { classCount, classNames } = data.train;
  const differs = classNames !== undefined && classNames.some((name, i) => name !== classes[i]);
  if (classCount > classes.length || differs)
    throw invalidSpec(
      `the task has the classes ${classes.slice(0, 20).join(", ")}, and the data has ${(classNames ?? [`${classCount} of them`]).slice(0, 20).join(", ")}`,
    );
  const named = { classNames: classes, classCount: classes.length };
  return { ...data, train: { ...data.train, ...named }, test: { ...data.test, ...named } };
}
