/** Reads what an operator wrote. */
import { VerisumError } from "../protocol/errors.ts";
import { readJson } from "../protocol/strict-json.ts";
import { readUserText } from "../storage/user-file.ts";
import type { Refuse } from "../storage/user-file.ts";

/**
 * The JSON of a tasks/*.json, unchecked.
 * @throws USAGE if there is no such file; TASK_SPECIFICATION_INVALID if it is not JSON, or has a key twice
 */
export async function readSpecification(file: string): Promise<unknown> {
  const refuse: Refuse = (reason, cause) =>
    new VerisumError("USAGE", `the task's specification ${file} ${reason}`, { file }, { cause });
  return readJson(await readUserText(file, refuse), file, "TASK_SPECIFICATION_INVALID", { file });
}
