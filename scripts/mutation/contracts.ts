/** The contracts that are changed or counted: those that are deployed, and their libraries. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Sources } from "./schemata.ts";

/** Every contract, interfaces and those of tests included. */
export function readSources(root: string): Sources {
  const files = globSync("contracts/**/*.sol", { cwd: root }).sort();
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(root, file), "latin1")]));
}

/** Those with code of their own. */
export function codeOf(sources: Sources): readonly string[] {
  return Object.keys(sources).filter((file) => /^contracts\/(libraries\/)?\w+\.sol$/.test(file));
}
