/** JSON that says one thing to all who read it. */
import { VerisumError } from "./errors.ts";
import type { ErrorCode } from "./errors.ts";
import { repeatedKey } from "./repeated-key.ts";

/**
 * @param bytes UTF-8, or text
 * @throws SyntaxError for what is no JSON, or has a key twice in one object, of which two readers may take another one;
 *   TypeError for what is no UTF-8
 */
export function strictJson(bytes: Uint8Array | string): unknown {
  const text = typeof bytes === "string" ? bytes : new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  const json: unknown = JSON.parse(text);
  const repeated = repeatedKey(text);
  if (repeated !== undefined) throw new SyntaxError(`it has the key ${repeated} twice in one object`);
  return json;
}

/**
 * The same, refused as the project refuses.
 * @param name how the message calls it
 * @throws the code
 */
export function readJson(
  bytes: Uint8Array | string,
  name: string,
  code: ErrorCode,
  details: Readonly<Record<string, string>> = {},
): unknown {
  try {
    return strictJson(bytes);
  } catch (cause) {
    throw new VerisumError(code, `${name} cannot be read as JSON: ${lineOf(cause)}`, details, { cause });
  }
}

/** What was thrown, in one line: a parser quotes the text that it stopped at, line ends and all. */
function lineOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, " ");
}
