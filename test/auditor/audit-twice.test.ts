import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { auditTwice } from "../../auditor/audit-twice.ts";
import type { TaskAudit } from "../../auditor/audit-task.ts";
import type { ErrorCode } from "../../protocol/errors.ts";

const audit = (code?: ErrorCode): TaskAudit => ({
  findings: [{ round: 1, check: "model", ok: code === undefined, detail: "", ...(code === undefined ? {} : { code }) }],
  ok: code === undefined,
  model: undefined,
  metrics: [],
});

/** What is done where audits find these things, one after the other. */
async function done(...codes: readonly (ErrorCode | undefined)[]): Promise<readonly string[]> {
  const steps: string[] = [];
  const left = [...codes];
  const chain = { reread: () => Promise.resolve(void steps.push("reads again")) };
  const result = await auditTwice(
    chain,
    () => Promise.resolve(audit(left.shift())),
    ({ code }) => void steps.push(code),
  );
  return [...steps, result.ok ? "green" : "red"];
}

describe("an audit that finds something wrong", () => {
  it("is made once more after everything was read again, and its second answer counts", async () => {
    assert.deepEqual(await done("MODEL_DIGEST_MISMATCH", undefined), ["AUDIT_FAILED", "reads again", "green"]);
    assert.deepEqual(await done("MODEL_DIGEST_MISMATCH", "MODEL_DIGEST_MISMATCH"), [
      "AUDIT_FAILED",
      "reads again",
      "red",
    ]);
  });

  it("is not doubted if it is green, or if content is only away", async () => {
    assert.deepEqual(await done(undefined), ["green"]);
    assert.deepEqual(await done("IPFS_UNAVAILABLE"), ["red"]);
  });
});
