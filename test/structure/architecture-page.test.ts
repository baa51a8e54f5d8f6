import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const { ROOMS } = (await import(new URL("../../scripts/lint/rooms.js", import.meta.url).href)) as {
  readonly ROOMS: Readonly<Record<string, readonly string[]>>;
};

const roomsIn = (text: string): string[] => [...text.matchAll(/`([a-z]+)\/`/g)].map(([, name]) => name!);

/** The rooms that a cell names, given those of the rows above it. */
function allowed(cell: string, above: readonly string[]): readonly string[] {
  if (cell === "no other room") return [];
  if (cell === "every room above") return above;
  const named = roomsIn(cell);
  if (!cell.startsWith("every room up to ")) return named;
  return [...above.slice(0, above.indexOf(named[0]!) + 1), ...named.slice(1)];
}

/** Rooms with what they may import, as the page's first table says. */
function tableOf(page: string): Map<string, readonly string[]> {
  const section = page.split("## Rooms")[1]!.split("\n## ")[0]!;
  const table = new Map<string, readonly string[]>();
  for (const line of section.split("\n").filter((text) => text.startsWith("| `"))) {
    const [room, , cell] = line.slice(2, -2).split(" | ");
    // Programs that use the package are nobody's foundation.
    const above = [...table.keys()].filter((name) => name !== "examples");
    table.set(roomsIn(room!)[0]!, allowed(cell!, above));
  }
  return table;
}

describe("docs/architecture.md", () => {
  const page = readFileSync(join(ROOT, "docs/architecture.md"), "utf8");
  const table = tableOf(page);

  it("has the rooms that lint knows, from the ground up", () => {
    assert.deepEqual([...table.keys()], Object.keys(ROOMS));
  });

  for (const [room, imports] of Object.entries(ROOMS)) {
    it(`says what lint says of ${room}`, () => {
      assert.deepEqual([...(table.get(room) ?? [])].sort(), [...imports].sort());
    });
  }

  it("explains each word once, in order", () => {
    const words = page
      .split("## Words")[1]!
      .split("\n")
      .filter((line) => /^\| [a-z]/.test(line) && !line.startsWith("| word "))
      .map((line) => line.slice(2).split(" | ")[0]!);
    assert.ok(words.length > 25);
    assert.deepEqual(words, [...new Set(words)].sort());
  });
});
