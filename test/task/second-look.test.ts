import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { VerisumError } from "../../protocol/errors.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { withSecondLook } from "../../task/second-look.ts";
import { rejectsCode } from "../support/errors.ts";

/** Looks that lead to these things, one after the other, and what was done between them. */
function looks(...outcomes: readonly (ErrorCode | "waiting" | "done")[]): {
  readonly look: () => Promise<string>;
  readonly done: string[];
} {
  const done: string[] = [];
  const left = [...outcomes];
  const step = (): Promise<string> => {
    const outcome = left.shift()!;
    done.push(outcome);
    if (outcome === "waiting" || outcome === "done") return Promise.resolve(outcome);
    return Promise.reject(new VerisumError(outcome, "as told"));
  };
  const reread = (): Promise<void> => Promise.resolve(void done.push("reads again"));
  return { look: withSecondLook(step, { reread }, (result) => result === "done"), done };
}

describe("a look that would end a role", () => {
  it("is made once more after everything was read again, and the second one counts", async () => {
    const misled = looks("AUDIT_FAILED", "waiting");
    assert.equal(await misled.look(), "waiting");
    assert.deepEqual(misled.done, ["AUDIT_FAILED", "reads again", "waiting"]);
    const early = looks("done", "waiting");
    assert.equal(await early.look(), "waiting");
    assert.deepEqual(early.done, ["done", "reads again", "waiting"]);
  });

  it("ends it if the second one says so as well", async () => {
    const wrong = looks("AUDIT_FAILED", "MODEL_DIGEST_MISMATCH");
    await rejectsCode(wrong.look(), "MODEL_DIGEST_MISMATCH");
    const over = looks("done", "done");
    assert.equal(await over.look(), "done");
    assert.equal(over.done.length, 3);
  });

  for (const code of ["CHAIN_UNREACHABLE", "IPFS_UNAVAILABLE", "INTERRUPTED", "STORAGE_FAILED"] as const)
    it(`is not one that fails with ${code}: nothing is read again for it`, async () => {
      const { look, done } = looks(code);
      await rejectsCode(look(), code);
      assert.deepEqual(done, [code]);
    });
});
