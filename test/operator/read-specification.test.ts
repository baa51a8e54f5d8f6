import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { readSpecification } from "../../operator/read-specification.ts";
import { rejectsCode } from "../support/errors.ts";
import { temporaryFolder } from "../support/tables.ts";
import type { Folder } from "../support/tables.ts";

describe("a specification's file", () => {
  let folder: Folder;
  before(async () => (folder = await temporaryFolder()));
  after(() => folder.remove());

  it("is read as it is", async () => {
    const text = '{"document":{"name":"a"},"other":{"name":"b"}}';
    assert.deepEqual(await readSpecification(await folder.file("task.json", text)), JSON.parse(text));
  });

  it("is refused if it is not there, is no JSON, or has a key twice in one object", async () => {
    await rejectsCode(readSpecification("nowhere.json"), "USAGE");
    await rejectsCode(readSpecification(await folder.file("cut.json", "{")), "TASK_SPECIFICATION_INVALID");
    for (const [key, text] of [
      ["clip", '{"document":{"clip":1,"clip":100}}'],
      ["a", '{"a":1,"\\u0061":2}'],
    ] as const)
      await assert.rejects(readSpecification(await folder.file("twice.json", text)), {
        code: "TASK_SPECIFICATION_INVALID",
        message: new RegExp(`twice[.]json cannot be read as JSON: it has the key ${key} twice in one object`),
      });
  });
});
