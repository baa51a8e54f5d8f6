/** What `fl-client data inspect` does. */
import { z } from "zod";
import { inspectData } from "../learning/inspect.ts";
import type { ExpectedData } from "../learning/inspect.ts";
import type { OnRows } from "../learning/formats/format.ts";
import { preprocessingSchema } from "../learning/preprocessing.ts";
import { tableSchema } from "../learning/tables/schema.ts";
import { VerisumError } from "../protocol/errors.ts";
import { readJson } from "../protocol/strict-json.ts";
import { readUserText, refuseWith } from "../storage/user-file.ts";
import { answersText } from "./answers-text.ts";
import { reportText } from "./data-report.ts";

export interface InspectFlags {
  readonly data: string;
  readonly task?: string;
  readonly format: "text" | "json";
}

/**
 * Writes the report, and ends as joining with this data would.
 * @throws what loading the data throws; USAGE, TASK_SPECIFICATION_INVALID; DATASET_MODEL_MISMATCH
 */
export async function runInspect(
  { data, task, format }: InspectFlags,
  write: (text: string) => void,
  onRows?: OnRows,
): Promise<void> {
  const expected = task === undefined ? undefined : await expectedBy(task);
  const { report, refusal } = await inspectData(data, expected, onRows);
  write(format === "json" ? `${JSON.stringify(report)}\n` : reportText(report));
  if (refusal !== undefined) throw refusal;
  if (report.task?.fits === false)
    throw new VerisumError(
      "DATASET_MODEL_MISMATCH",
      `the task takes ${report.task.inputs.expected} inputs and ${answersText(report.task.classes.expected)}, the data has ${report.task.inputs.found} and ${answersText(report.task.classes.found)}`,
    );
}

/** The part of a document that data is held to; all else is for whoever runs the task. */
const dataOfDocument = z.object({
  model: z.unknown(),
  data: tableSchema.optional(),
  preprocessing: preprocessingSchema.optional(),
});
const taskFile = z.union([
  z.object({ document: dataOfDocument }).transform(({ document }) => document),
  dataOfDocument,
]);

/** A specification of tasks/, or a published task.json. */
async function expectedBy(file: string): Promise<ExpectedData> {
  const text = await readUserText(file, refuseWith("USAGE", `the task ${file}`, { file }));
  const parsed = taskFile.safeParse(readJson(text, file, "TASK_SPECIFICATION_INVALID", { file }));
  if (!parsed.success)
    throw new VerisumError(
      "TASK_SPECIFICATION_INVALID",
      `${file}: ${z.prettifyError(parsed.error).replaceAll(/\s+/g, " ")}`,
      { file },
    );
  const { model, data, preprocessing } = parsed.data;
  return { model, schema: data, preprocessing };
}
