import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** A row's files, as the page writes them, and the sources that are said to write them. */
interface Row {
  readonly files: readonly string[];
  readonly sources: readonly string[];
}

const quoted = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text!);

/** Rows of the tables of five columns: file, what, written by, deletion, restoring. */
function rowsOf(page: string): readonly Row[] {
  return page
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.slice(2, -2).split(" | "))
    .filter((cells) => cells.length === 5)
    .map((cells) => ({ files: quoted(cells[0]!), sources: quoted(cells[2]!) }));
}

/** What of a name must stand in its source: all but the parts that vary, folder by folder. */
const fixedParts = (name: string): string[] => name.split(/<[^>]*>|\//).filter((part) => part.length > 1);

describe("docs/state.md", () => {
  const rows = rowsOf(read("docs/state.md"));

  it("names files whose fixed parts stand in the source that writes them", () => {
    assert.ok(rows.length > 15);
    for (const { files, sources } of rows) {
      assert.ok(sources.length > 0, files.join());
      const text = sources.map(read).join("\n");
      for (const part of files.flatMap(fixedParts)) assert.ok(text.includes(part), `${part} in ${sources.join()}`);
    }
  });

  it("names every file that a role puts into its state directory", () => {
    const named = rows.flatMap(({ files }) => files);
    const sources = globSync("{aggregator,auditor,client,member,task}/**/*.ts", { cwd: ROOT });
    const written = sources.flatMap((path) =>
      [...read(path).matchAll(/state\.file\(scope, [`"]([^`"]+)[`"]\)/g)].map(
        ([, name]) => `<scope>/${name!.replaceAll(/\$\{(\w+)\}/g, "<$1>")}`,
      ),
    );
    assert.ok(written.length >= 5);
    assert.deepEqual(
      written.filter((name) => !named.includes(name)),
      [],
    );
  });

  it("says of every file whether it may be deleted and restored", () => {
    const page = read("docs/state.md");
    const tables = page.split("\n").filter((line) => line.startsWith("| `"));
    assert.deepEqual(
      tables.filter((line) => /\| *\|/.test(line)),
      [],
    );
  });
});
