/** The Python auditor, which was written from docs/formats.md alone: what it says of the published vector. */
import assert from "node:assert/strict";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "mocha";
import {
  AUDITOR_ENVIRONMENT,
  AUDITOR_PACKAGE,
  describeAuditor,
  itHasTypes,
  python,
  pythonAuditor,
} from "../support/python.ts";
import { changedVector, vectorChanges } from "../support/round-vector-changes.ts";
import { readRoundVector, VECTOR_FOLDER } from "../support/round-vector.ts";

const CHANGE = "a proof's y is larger by one";

describeAuditor("the Python auditor", function () {
  this.timeout(300_000);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "verisum-python-auditor-"));
  });
  after(() => rm(folder, { recursive: true }));

  /** What it ends with, and its last line. */
  async function audit(vector: string): Promise<{ readonly status: number | null; readonly lines: readonly string[] }> {
    const { status, stdout, stderr } = await pythonAuditor([vector]);
    assert.equal(stderr, "");
    return { status, lines: stdout.trimEnd().split("\n") };
  }

  it("finds the published vector green, with the findings of this project's auditor", async () => {
    const { verdict } = await readRoundVector();
    const { status, lines } = await audit(VECTOR_FOLDER);
    assert.equal(status, 0);
    assert.equal(lines.at(-1), "green");
    const checks = lines.slice(0, -1).map((line) => /^ok +(?:task|round [0-9]+) +([a-z ]+):/.exec(line)?.[1]);
    assert.deepEqual(checks, [...verdict.findings.map(({ check }) => check), "content"]);
  });

  it("finds the first red check that this project's auditor finds, if one word is changed", async () => {
    const vector = await readRoundVector();
    const change = vectorChanges(vector).find(({ what }) => what === CHANGE)!;
    await symlink(join(VECTOR_FOLDER, "content"), join(folder, "content"));
    await writeFile(join(folder, "chain.json"), JSON.stringify(changedVector(vector, change).chain));
    const { status, lines } = await audit(folder);
    const { verdict } = vector.verdict.changes.find(({ what }) => what === CHANGE)!;
    assert.ok(typeof verdict === "object" && "check" in verdict);
    assert.equal(status, 1);
    assert.equal(lines.at(-1), `red: ${verdict.check} of round ${verdict.round}`);
    const red = lines.find((line) => line.startsWith("RED "))!;
    assert.ok(red.endsWith(`[${verdict.code}]`), red);
  });

  it("passes those of its tests that need no pairings", async () => {
    const tests = ["test_model.py", "test_checkpoint.py", "test_live.py", "test_gateway.py"].map((name) =>
      join(AUDITOR_PACKAGE, "tests", name),
    );
    const { status, stdout, stderr } = await python(["-m", "pytest", "-q", ...tests], AUDITOR_ENVIRONMENT);
    assert.equal(status, 0, `${stdout}\n${stderr}`);
    assert.match(stdout, /[0-9]+ passed/);
  });

  itHasTypes(AUDITOR_PACKAGE, AUDITOR_ENVIRONMENT);
});
