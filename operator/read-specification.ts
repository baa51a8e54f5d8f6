/** Reads what an operator wrote. */
import { readFile } from "node:fs/promises";
import { VerisumError } from "../protocol/errors.ts";
import { lineOf, strictJson } from "../protocol/strict-json.ts";

/**
 * The JSON of a tasks/*.json, unchecked.
 * @throws USAGE if there is no such file; TASK_SPECIFICATION_INVALID if it is not JSON, or has a key twice
 */
export async function readSpecification(file: string): Promise<unknown> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new VerisumError("USAGE", `the task's specification ${file} cannot be read`, { file }, { cause });
  });
  try {
    return strictJson(text);
  } catch (cause) {
    throw new VerisumError(
      "TASK_SPECIFICATION_INVALID",
      `${file} cannot be read as JSON: ${lineOf(cause)}`,
      { file },
      { cause },
    );
  }
}
