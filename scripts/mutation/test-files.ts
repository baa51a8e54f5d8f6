/** The tests that mutants are tried against, and what shows that one of them has changed. */
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const { importedFiles } = (await import(new URL("../lint/imports.js", import.meta.url).href)) as {
  importedFiles: (path: string, source: string) => string[];
};

/** What no test of behaviour measures: with more code in it, every call costs more. */
const LEFT_OUT = /\/gas(-limits)?\.test\.ts$/;

/** Digests of the contract tests by their files, from the repository's root: each covers what it imports of `test/`. */
export function contractTests(root: string): ReadonlyMap<string, string> {
  const files = globSync("test/contracts/*.test.ts", { cwd: root }).filter((file) => !LEFT_OUT.test(file));
  return new Map(files.sort().map((file) => [file, digestOf(root, file)]));
}

function digestOf(root: string, file: string): string {
  const hash = createHash("sha256");
  const seen = new Set([join(root, file)]);
  for (const path of seen) {
    const source = readFileSync(path, "utf8");
    hash.update(`${relative(root, path)}\n${source}\n`);
    for (const next of importedFiles(path, source)) if (relative(root, next).startsWith("test")) seen.add(next);
  }
  return hash.digest("hex").slice(0, 16);
}
