/** Reads what an operator wrote. */
import { readJson } from "../protocol/strict-json.ts";
import { readUserText, refuseWith } from "../storage/user-file.ts";

/**
 * The JSON of a tasks/*.json, unchecked.
 * @throws USAGE if there is no such file; TASK_SPECIFICATION_INVALID if it is not JSON, or has a key twice
 */
export async function readSpecification(file: string): Promise<unknown> {
  const text = await readUserText(file, refuseWith("USAGE", `the task's specification ${file}`, { file }));
  return readJson(text, file, "TASK_SPECIFICATION_INVALID", { file });
}
