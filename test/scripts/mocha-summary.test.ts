/** The reporter names each failed test, so that a run's last lines tell what failed. */
import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../scripts/testing/plan.ts";

const TESTS = `
describe("sums", () => {
  it("holds", () => {});
  it.skip("waits", () => {});
  it("fails", () => { throw new Error("first line\\nsecond line"); });
});
describe("hooks", () => {
  before(() => { throw new Error("no ground"); });
  it("never runs", () => {});
});
`;

describe("the summary of a run", () => {
  for (const parallel of [[], ["--parallel"]]) {
    it(`counts, and names what failed and why${parallel.length > 0 ? ", from several processes too" : ""}`, () => {
      const folder = mkdtempSync(join(tmpdir(), "verisum-summary-"));
      try {
        const [tests, summary] = [join(folder, "sums.test.mjs"), join(folder, "summary.json")];
        writeFileSync(tests, TESTS);
        const mocha = join(ROOT, "node_modules", "mocha", "bin", "mocha.js");
        const reporter = ["--reporter", "scripts/mocha-summary.js", "--reporter-option", `summary=${summary}`];
        const { status } = spawnSync(process.execPath, [mocha, "--no-config", ...reporter, ...parallel, tests], {
          cwd: ROOT,
        });
        assert.equal(status, 2);
        const { failures, ...counts } = JSON.parse(readFileSync(summary, "utf8")) as {
          failures: string[];
        };
        assert.deepEqual(counts, { passed: 1, failed: 2, skipped: 1 });
        assert.deepEqual(
          failures.map((line) => line.replace(/^\S*sums\.test\.mjs: /u, "")),
          ["sums fails: first line second line", 'hooks "before all" hook for "never runs": no ground'],
        );
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }
});
