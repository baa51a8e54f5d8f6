/** What the compiler leaves as the sources have it. */
import { posix } from "node:path";

/** Types that the project declares of a package without any. */
export const DECLARED_TYPES = "proving/curve/ffjavascript.d.ts";

/** A worker's file, which the compiler takes for a text. */
const WORKER_URL = /(\bnew URL\(\s*"\.{1,2}\/[^"]+)\.ts("\s*,\s*import\.meta\.url\s*\))/g;
/** A relative import in a declaration, which the compiler does not rewrite. */
const TYPE_IMPORT = /((?:\bfrom\s+|\bimport\(\s*)"\.{1,2}\/[^"]+)\.ts(")/g;

/**
 * A file of `dist/` with every path as it is there.
 * @param name below `dist/`, with forward slashes
 */
export function rewritten(name: string, text: string): string {
  if (!name.endsWith(".d.ts")) return text.replaceAll(WORKER_URL, "$1.js$2");
  const types = text.replaceAll(TYPE_IMPORT, "$1.js$2");
  if (!types.includes('"ffjavascript"')) return types;
  return `/// <reference path="${posix.relative(posix.dirname(name), DECLARED_TYPES)}" />\n${types}`;
}
