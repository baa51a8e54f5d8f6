import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import { ROOT } from "../../scripts/testing/plan.ts";

const MOST_LINES = 40;

describe("an example of an own trainer", () => {
  for (const example of ["client.ts", "python/numpy_digits.py"])
    it(`has at most ${MOST_LINES} lines, from the data to its part in the task: ${example}`, () => {
      const source = readFileSync(join(ROOT, "examples", example), "utf8");
      const lines = source.trimEnd().split("\n");
      assert.ok(lines.length <= MOST_LINES, `${lines.length}`);
      assert.ok(lines.every((line) => line.length <= 120));
    });
});
