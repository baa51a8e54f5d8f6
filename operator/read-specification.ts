/** Reads what an operator wrote. */
import { readFile } from "node:fs/promises";
import { VerisumError } from "../protocol/errors.ts";
import { readJson } from "../protocol/strict-json.ts";

/**
 * The JSON of a tasks/*.json, unchecked.
 * @throws USAGE if there is no such file; TASK_SPECIFICATION_INVALID if it is not JSON, or has a key twice
 */
export async function readSpecification(file: string): Promise<unknown> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new VerisumError("USAGE", `the task's specification ${file} cannot be read`, { file }, { cause });
  });
  return readJson(text, file, "TASK_SPECIFICATION_INVALID", { file });
}
