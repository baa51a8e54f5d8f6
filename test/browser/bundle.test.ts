import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { bundle } from "../support/browser.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { PORTABLE } = (await import(new URL("../../scripts/lint/portable.js", import.meta.url).href)) as {
  readonly PORTABLE: readonly string[];
};
const entries = PORTABLE.flatMap((entry) =>
  entry.endsWith("/") ? globSync(`${entry}**/*.ts`, { cwd: root }) : [entry],
)
  .filter((file) => !file.endsWith(".d.ts"))
  .sort();
const sourceOf = (files: readonly string[]): string =>
  files.map((file, i) => `export * as part${i} from ${JSON.stringify(`./${file}`)};`).join("\n");

describe("what lint takes for portable", function () {
  this.timeout(60_000);

  it("bundles for a browser with all its packages, and without stand-ins for Node's modules", async () => {
    assert.ok((await bundle(sourceOf(entries), root)).length > 0);
  });

  it("is not everything: a file that needs Node does not bundle", async () => {
    await assert.rejects(bundle(sourceOf(["content/disk.ts"]), root), /Could not resolve "fs"/);
  });
});
