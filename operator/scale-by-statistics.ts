/** A round's statistics as the constants of the next task. */
import { z } from "zod";
import { constantsFrom } from "../learning/tables/propose-schema.ts";
import { ensure } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { readJson } from "../protocol/strict-json.ts";
import { readUserText, refuseWith } from "../storage/user-file.ts";

const errorSchema = z.object({ rounding: z.number(), noiseStdDev: z.number() });
const summarySchema = z.object({
  clients: z.int().min(1),
  columns: z.array(
    z.object({
      name: z.string(),
      mean: z.number().nullable().optional(),
      stdDev: z.number().nullable().optional(),
      stdDevError: errorSchema.nullable().optional(),
    }),
  ),
});
const documentSchema = z.looseObject({
  document: z.looseObject({
    data: z.looseObject({
      columns: z.array(z.looseObject({ name: z.string(), type: z.string() })),
      label: z.string().optional(),
      target: z.looseObject({ mean: z.number().optional(), stdDev: z.number().optional() }).optional(),
      scaling: z.record(z.string(), z.unknown()).optional(),
    }),
  }),
});

type Constants = ReturnType<typeof constantsFrom>;

/**
 * The specification with the mean and the standard deviation of each number and date column that the statistics have,
 * to three digits, in `document.data.scaling`, and those of a target that has none. What the specification scales
 * already stays as it is.
 * @throws STATISTICS_UNFIT
 */
export async function scaledBy(file: string, specification: unknown, reporter: Reporter): Promise<unknown> {
  const statistics = summarySchema.safeParse(await readSummary(file));
  ensure(statistics.success, "STATISTICS_UNFIT", `${file} holds no statistics`, { file });
  const task = documentSchema.safeParse(specification);
  ensure(task.success, "STATISTICS_UNFIT", "the specification has no document.data, whose columns would be scaled");
  const { data } = task.data.document;
  const given = data.scaling ?? {};
  const constantsOf = (name: string): Constants[] => {
    const known = statistics.data.columns.find((column) => column.name === name);
    const { mean, stdDev } = known ?? {};
    return typeof mean === "number" && typeof stdDev === "number" && stdDev > 0
      ? [constantsFrom({ mean, stdDev })]
      : [];
  };
  const found = data.columns.flatMap(({ name, type }): [string, Constants][] =>
    type === "category" || Object.hasOwn(given, name)
      ? []
      : constantsOf(name).map((constants): [string, Constants] => [name, constants]),
  );
  const { target } = data;
  const isOpen = target !== undefined && target.mean === undefined && target.stdDev === undefined;
  const [targetScaling] = isOpen ? constantsOf(data.label ?? "") : [];
  const scaled = [...found.map(([name]) => name), ...(targetScaling === undefined ? [] : [data.label ?? ""])];
  ensure(scaled.length > 0, "STATISTICS_UNFIT", `${file} says nothing of a column that the task would scale`, { file });
  for (const { name, stdDev, stdDevError } of statistics.data.columns) {
    if (!scaled.includes(name) || stdDevError === undefined) continue;
    const off = stdDevError === null ? Infinity : stdDevError.rounding + 2 * stdDevError.noiseStdDev;
    if (off > stdDev! / 2)
      reporter.say(
        "warn",
        "scaling-uncertain",
        `${name}: the standard deviation of ${String(Number(stdDev!.toPrecision(3)))} may be off by ${stdDevError === null ? "any amount" : String(Number(off.toPrecision(3)))}; more clients, a narrower range or less noise make it certain`,
        { column: name },
      );
  }
  reporter.say(
    "info",
    "scaled",
    `${scaled.length} columns are scaled by ${statistics.data.clients} clients' statistics`,
  );
  return {
    ...task.data,
    document: {
      ...task.data.document,
      data: {
        ...data,
        ...(targetScaling === undefined ? {} : { target: targetScaling }),
        scaling: { ...given, ...Object.fromEntries(found) },
      },
    },
  };
}

async function readSummary(file: string): Promise<unknown> {
  const text = await readUserText(file, refuseWith("STATISTICS_UNFIT", file, { file }));
  return readJson(text, file, "STATISTICS_UNFIT", { file });
}
