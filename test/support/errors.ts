import assert from "node:assert/strict";
import { isVerisumError } from "../../protocol/errors.ts";
import type { ErrorCode } from "../../protocol/errors.ts";

/** Asserts that `action` throws a VerisumError with this code; messages are not looked at. */
export function throwsCode(action: () => unknown, code: ErrorCode): void {
  assert.throws(action, (error) => hasCode(error, code));
}

/** The same for a promise. */
export async function rejectsCode(action: Promise<unknown> | (() => Promise<unknown>), code: ErrorCode): Promise<void> {
  await assert.rejects(action, (error) => hasCode(error, code));
}

function hasCode(error: unknown, code: ErrorCode): true {
  assert.ok(isVerisumError(error), `expected ${code}, got ${String(error)}`);
  assert.equal(error.code, code);
  return true;
}
