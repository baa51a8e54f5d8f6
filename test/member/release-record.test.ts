import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { ERRORS } from "../../protocol/errors.ts";
import { encodeRecord } from "../../storage/durable-file.ts";
import { openStateDirectory } from "../../storage/state-directory.ts";
import type { StateDirectory } from "../../storage/state-directory.ts";
import type { SubmittedRecord } from "../../chain/task-chain.ts";
import { bindRelease, boundRelease } from "../../member/release-record.ts";
import { rejectsCode } from "../support/errors.ts";

const [CID, OTHER_CID] = ["bafyone", "bafyother"];
const submitted = (client: number, bundle = client, weight = 1): SubmittedRecord =>
  ({ client: `0x${client}`, weight, submission: { sharesCid: `0x${bundle}` } }) as unknown as SubmittedRecord;

describe("a member's release record", () => {
  let directory: string;
  let state: StateDirectory;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "verisum-release-"));
    state = await openStateDirectory(directory);
    await bindRelease(state, "scope", 1n, [submitted(1), submitted(2)], CID);
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it("passes the same submissions again, in any order", () =>
    bindRelease(state, "scope", 1n, [submitted(2), submitted(1)], CID));

  // After a reorganisation the same bits of U can stand for any of these.
  it("refuses as many submissions of other clients", () =>
    rejectsCode(bindRelease(state, "scope", 1n, [submitted(1), submitted(3)], CID), "ROUND_EQUIVOCATION"));
  it("refuses another submission of the same client", () =>
    rejectsCode(bindRelease(state, "scope", 1n, [submitted(1), submitted(2, 9)], CID), "ROUND_EQUIVOCATION"));
  it("refuses other weights", () =>
    rejectsCode(bindRelease(state, "scope", 1n, [submitted(1), submitted(2, 2, 5)], CID), "ROUND_EQUIVOCATION"));

  it("refuses another sum of the same submissions", () =>
    rejectsCode(bindRelease(state, "scope", 1n, [submitted(1), submitted(2)], OTHER_CID), "ROUND_EQUIVOCATION"));

  it("keeps the CID, by which the same release is sent again", async () => {
    assert.equal(await boundRelease(state, "scope", 1n, [submitted(2), submitted(1)]), CID);
    assert.equal(await boundRelease(state, "scope", 2n, [submitted(1)]), undefined);
    await rejectsCode(boundRelease(state, "scope", 1n, [submitted(1)]), "ROUND_EQUIVOCATION");
  });

  it("of an earlier version, which has no CID, binds the submissions all the same", async () => {
    const summands = ["1 0x1 0x1", "1 0x2 0x2"];
    await writeFile(state.file("scope", "release-3.json"), encodeRecord({ summands }));
    assert.equal(await boundRelease(state, "scope", 3n, [submitted(1), submitted(2)]), undefined);
    await bindRelease(state, "scope", 3n, [submitted(1), submitted(2)], CID);
    await rejectsCode(bindRelease(state, "scope", 3n, [submitted(1)], CID), "ROUND_EQUIVOCATION");
  });

  it("counts as a release of nobody knows what once it is damaged: the same submissions are refused as well", async () => {
    const path = state.file("scope", "release-5.json");
    await bindRelease(state, "scope", 5n, [submitted(1)], CID);
    const whole = await readFile(path);
    for (const damaged of [
      "",
      whole.subarray(0, 30),
      whole.subarray(0, -1),
      new Uint8Array(whole.length),
      Uint8Array.from(whole, (byte, i) => (i === 80 ? byte ^ 1 : byte)),
      encodeRecord({ summands: "1" }),
      encodeRecord(null),
    ]) {
      await writeFile(path, damaged);
      for (const client of [1, 2]) {
        await rejectsCode(bindRelease(state, "scope", 5n, [submitted(client)], CID), "ROUND_RECORD_DAMAGED");
      }
      assert.deepEqual(await readFile(path), Buffer.from(damaged), "the file stays as it is");
    }
    assert.equal(ERRORS.ROUND_RECORD_DAMAGED.role, "sit-out");
    assert.doesNotMatch(ERRORS.ROUND_RECORD_DAMAGED.advice, /remove|delete/i);
  });
});
