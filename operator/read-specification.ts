/** Reads what an operator wrote. */
import { readFile } from "node:fs/promises";
import { VerisumError } from "../protocol/errors.ts";

/**
 * The JSON of a tasks/*.json, unchecked. @throws USAGE if there is no such file, TASK_DOCUMENT_INVALID if it is not
 * JSON
 */
export async function readSpecification(file: string): Promise<unknown> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new VerisumError("USAGE", `the task's specification ${file} cannot be read`, { file }, { cause });
  });
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new VerisumError(
      "TASK_SPECIFICATION_INVALID",
      `${file} is not JSON: ${String(cause).replaceAll(/\s+/g, " ")}`,
      { file },
      { cause },
    );
  }
}
