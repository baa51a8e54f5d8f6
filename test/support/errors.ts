import assert from "node:assert/strict";
import { isVerisumError } from "../../protocol/errors.ts";
import type { ErrorCode, ErrorDetails } from "../../protocol/errors.ts";

/** Asserts that `action` throws a VerisumError with this code; messages are not looked at. */
export function throwsCode(action: () => unknown, code: ErrorCode, details: ErrorDetails = {}): void {
  assert.throws(action, (error) => hasCode(error, code, details));
}

/** The same for a promise. @param details facts that the error must carry, others aside */
export async function rejectsCode(
  action: Promise<unknown> | (() => Promise<unknown>),
  code: ErrorCode,
  details: ErrorDetails = {},
): Promise<void> {
  await assert.rejects(action, (error) => hasCode(error, code, details));
}

function hasCode(error: unknown, code: ErrorCode, details: ErrorDetails = {}): true {
  assert.ok(isVerisumError(error), `expected ${code}, got ${String(error)}`);
  assert.equal(error.code, code);
  for (const [name, value] of Object.entries(details)) assert.deepEqual(error.details[name], value, error.message);
  return true;
}
