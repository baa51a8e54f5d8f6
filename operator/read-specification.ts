/** Reads what an operator wrote. */
import { readFile } from "node:fs/promises";
import { ensure, VerisumError } from "../protocol/errors.ts";
import { repeatedKey } from "../protocol/repeated-key.ts";

/**
 * The JSON of a tasks/*.json, unchecked.
 * @throws USAGE if there is no such file; TASK_SPECIFICATION_INVALID if it is not JSON, or has a key twice
 */
export async function readSpecification(file: string): Promise<unknown> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new VerisumError("USAGE", `the task's specification ${file} cannot be read`, { file }, { cause });
  });
  let specification: unknown;
  try {
    specification = JSON.parse(text);
  } catch (cause) {
    throw new VerisumError(
      "TASK_SPECIFICATION_INVALID",
      `${file} is not JSON: ${String(cause).replaceAll(/\s+/g, " ")}`,
      { file },
      { cause },
    );
  }
  const repeated = repeatedKey(text);
  ensure(
    repeated === undefined,
    "TASK_SPECIFICATION_INVALID",
    `${file} has the key ${repeated} twice in one object, and only one of its values would count`,
    { file, key: repeated ?? "" },
  );
  return specification;
}
