import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import type { ErrorFragment } from "ethers";
import { VERISUM_INTERFACE } from "../support/reverts.ts";

describe("the contract's errors", () => {
  it("are each triggered by an assertion of these tests", () => {
    const sources = globSync("*.test.ts", { cwd: import.meta.dirname }).map((file) =>
      readFileSync(join(import.meta.dirname, file), "utf8"),
    );
    const asserted = new Set(
      sources.flatMap((source) => [...source.matchAll(/"(Verisum[A-Z]\w+)"/g)].map(([, name]) => name)),
    );
    const declared = VERISUM_INTERFACE.fragments
      .filter((fragment): fragment is ErrorFragment => fragment.type === "error")
      .map(({ name }) => name);
    assert.deepEqual(
      declared.filter((name) => !asserted.has(name)),
      [],
    );
    assert.ok(declared.length > 40);
  });
});
