/** What the files of the repository import: the graph that lint's rules about the house are asked of. */
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { dirname, relative, resolve, sep } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../..");

/** A relative specifier of a static or dynamic import, of a re-export, or of a file that a worker runs. */
const RELATIVE_IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*|\bnew URL\(\s*)(["'`])(\.{1,2}\/[^"'`\n]*\.[cm]?[jt]sx?)\1/g;

/** The same of any specifier, packages and Node's modules included. */
const ANY_IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*|\bnew URL\(\s*)(["'`])([^"'`\n]+)\1/g;

/** An import or re-export of types alone, or one inside a type, which is gone at run time. */
const TYPE_IMPORT =
  /\b(?:import|export)\s+type\b[^"'`;]*?\bfrom\s*(["'])[^"'\n]*\1|\btypeof\s+import\([^)\n]*\)|\bimport\([^)\n]*\)\.[A-Z]/g;

/** Path below the repository, with forward slashes. */
export const nameOf = (path) => relative(ROOT, path).split(sep).join("/");

/** The room that a file stands in: its first folder. */
export const roomOf = (path) => nameOf(path).split("/")[0];

/** Files of the repository that a source imports by relative paths, each once. */
export function importedFiles(path, source) {
  const found = [...source.matchAll(RELATIVE_IMPORT)].map(([, , specifier]) => resolve(dirname(path), specifier));
  return [...new Set(found)].filter((file) => existsSync(file) && statSync(file).isFile());
}

/** What a source imports at run time: paths of existing files, and the names of everything else. Each once. */
export function runtimeImports(path, source) {
  const specifiers = [...source.replaceAll(TYPE_IMPORT, "").matchAll(ANY_IMPORT)].map(([, , specifier]) => specifier);
  const files = importedFiles(path, specifiers.map((specifier) => `import "${specifier}"`).join("\n"));
  return [...files, ...new Set(specifiers.filter((specifier) => !specifier.startsWith(".")))];
}

/** Every source below the rooms, with what it imports by `imports(path, source)`; read once in a process. */
export function importGraph(rooms, imports = importedFiles) {
  const files = globSync(`{${rooms.join(",")}}/**/*.{ts,tsx,js,mjs}`, { cwd: ROOT, exclude: ["**/node_modules/**"] });
  return new Map(
    files.map((name) => {
      const path = resolve(ROOT, name);
      return [path, imports(path, readFileSync(path, "utf8"))];
    }),
  );
}

/** The way from a file to the nearest import for which `isWanted` holds, both ends included, or undefined. */
export function wayTo(graph, from, isWanted) {
  const cameFrom = new Map([[from, undefined]]);
  for (const at of cameFrom.keys()) {
    if (isWanted(at)) {
      const way = [];
      for (let step = at; step !== undefined; step = cameFrom.get(step)) way.unshift(step);
      return way;
    }
    for (const next of graph.get(at) ?? []) if (!cameFrom.has(next)) cameFrom.set(next, at);
  }
  return undefined;
}

/**
 * Files that import one another, directly or by way of others, types included: the strongly connected components of
 * more than one file (Tarjan 1972).
 */
export function circlesIn(graph) {
  const order = new Map();
  const lowest = new Map();
  const stack = [];
  const circles = [];
  const visit = (file) => {
    order.set(file, order.size);
    lowest.set(file, order.get(file));
    stack.push(file);
    for (const next of graph.get(file) ?? []) {
      if (!order.has(next)) visit(next);
      if (stack.includes(next)) lowest.set(file, Math.min(lowest.get(file), lowest.get(next)));
    }
    if (lowest.get(file) !== order.get(file)) return;
    const members = stack.splice(stack.indexOf(file));
    if (members.length > 1) circles.push(members);
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return circles;
}
