import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import { groupOf, INTEGRATION, parseSelection, ROOT, TEST_GROUPS, testFiles } from "../../scripts/testing/plan.ts";

describe("what npm test runs", () => {
  it("puts folders named like a group into it, and all else among the unit tests", () => {
    assert.equal(groupOf("test/end-to-end/round.test.ts"), "end-to-end");
    assert.equal(groupOf("test/contracts/submit.test.ts"), "contracts");
    assert.equal(groupOf("test/chain/connect.test.ts"), "integration");
    assert.equal(groupOf("test/some-new-room/example.test.ts"), "unit");
  });

  it("names only integration tests that exist, and has files for every group", () => {
    const files = testFiles();
    assert.deepEqual(
      INTEGRATION.filter((path) => !files.includes(path)),
      [],
    );
    assert.deepEqual([...new Set(files.map(groupOf))].sort(), [...TEST_GROUPS].sort());
  });

  it("fails no test because the machine is slow: what took how long is for benchmarks", () => {
    const limit = /assert\.ok\(.*(?:performance\.now\(\)|Date\.now\(\)|cpuUsage\(\w*\)(?:\.\w+)?)(?: - \w+)? <=? \d/u;
    const timed = testFiles().filter((path) => limit.test(readFileSync(join(ROOT, path), "utf8")));
    assert.deepEqual(timed, []);
  });

  it("is everything without arguments, and only what they name with them", () => {
    assert.deepEqual(parseSelection([]), { checks: true, groups: TEST_GROUPS, options: [] });
    assert.deepEqual(parseSelection(["checks"]), { checks: true, groups: [], options: [] });
    assert.deepEqual(parseSelection(["contracts", "unit"]).groups, ["unit", "contracts"]);
    assert.deepEqual(parseSelection(["--grep", "a model", "--bail"]), {
      checks: false,
      groups: TEST_GROUPS,
      options: ["--grep", "a model", "--bail"],
    });
  });

  for (const [name, args] of [
    ["an unknown group", ["unt"]],
    ["an unknown short option", ["-x"]],
    ["--grep without words", ["--grep"]],
  ] as const) {
    it(`refuses ${name} in one coded line, with the status of wrong use`, () => {
      const { status, stderr } = spawnSync(process.execPath, [join(ROOT, "scripts/test.ts"), ...args], {
        encoding: "utf8",
      });
      assert.equal(status, 4);
      assert.match(stderr, /^✗ USAGE: [^\n]+\n$/m);
    });
  }
});
