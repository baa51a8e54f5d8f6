/** What `fl-operator create-task --schema-from` does. */
import { resolveData } from "../learning/dataset.ts";
import { inputWidthOf } from "../learning/tables/schema.ts";
import { proposeSchema } from "../learning/tables/propose-schema.ts";
import { VerisumError } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";

/**
 * Writes the `data` section of a task's document that describes this table, for the operator to edit.
 * @param data as a client names it, with `label=` and `drop=`
 * @throws DATASET_SPEC_INVALID for data that is no table, and what proposing a schema throws
 */
export async function runProposeSchema(data: string, reporter: Reporter, write: (text: string) => void): Promise<void> {
  const { source, format, options } = await resolveData(data);
  if (format.open === undefined)
    throw new VerisumError("DATASET_SPEC_INVALID", `${source.path} is no table: its format is ${format.name}`);
  const { schema, notes } = await proposeSchema(await format.open(source, options));
  for (const { level, event, text } of notes) reporter.say(level === "note" ? "info" : "warn", event, text);
  reporter.say(
    "info",
    "fits",
    `a model for it has "inputShape": [${inputWidthOf(schema)}] and ${schema.classes === undefined ? '"head": { "kind": "regression" }' : `"classCount": ${schema.classes.length}`}`,
  );
  write(`${JSON.stringify({ data: schema }, undefined, 2)}\n`);
}
