/**
 * ESLint's rules about the house (docs/architecture.md): which room may import which, and that no files import one
 * another in a circle. Both hold for types as well, for dynamic imports, for re-exports and for the files of workers.
 */
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, resolve } from "node:path";
import { circlesIn, importedFiles, importGraph, nameOf, ROOT, roomOf } from "./imports.js";

const FOUNDATION = ["protocol", "storage"];
const SHARED = [...FOUNDATION, "chain", "content", "learning", "proving", "command", "task"];
const ROLES = ["operator", "indexer", "auditor", "member", "client", "aggregator"];

/** Rooms, from the ground up, each with the rooms that its files may import besides their own. */
export const ROOMS = {
  protocol: [],
  storage: ["protocol"],
  chain: FOUNDATION,
  content: FOUNDATION,
  learning: ["protocol"],
  proving: FOUNDATION,
  command: FOUNDATION,
  task: SHARED.slice(0, -1),
  operator: SHARED,
  indexer: SHARED,
  auditor: [...SHARED, "indexer"],
  member: SHARED,
  // A client audits what it trains on; an aggregator may hold a seat. Neither knows the other.
  client: [...SHARED, "auditor"],
  aggregator: [...SHARED, "auditor", "member"],
  // In a browser.
  dashboard: [...SHARED, "indexer", "auditor", "client"],
  // By the package's name only, as a program of somebody else would.
  examples: [],
  demo: [...SHARED, ...ROLES],
  experiments: [...SHARED, ...ROLES, "demo"],
  ignition: SHARED,
  scripts: [...SHARED, ...ROLES, "demo", "experiments", "ignition"],
  bin: [...ROLES],
  test: [...SHARED, ...ROLES, "demo", "experiments", "ignition", "scripts", "bin"],
};

/** The only packages the protocol uses: audited cryptography without effects. */
const PROTOCOL_PACKAGES = /^@(noble|hpke)\//;

const manifest = JSON.parse(readFileSync(resolve(ROOT, "package.json"), "utf8"));
const DECLARED = new Set([...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)]);
/** Rooms that run where development packages are not installed. */
export const SHIPPED = [...SHARED, ...ROLES];
const BUILTIN = new Set(builtinModules);

const packageOf = (specifier) =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

/** Reason why a file may not import the specifier, as a message id with data, or undefined. */
function objection(filename, specifier, isType) {
  const from = roomOf(filename);
  if (specifier.startsWith(".")) {
    if (specifier.endsWith("/door.ts")) return { messageId: "door" };
    const to = roomOf(resolve(dirname(filename), specifier));
    if (from === to) return undefined;
    const known = from in ROOMS && to in ROOMS;
    if (from === "protocol" || (known && !ROOMS[from].includes(to)))
      return { messageId: "direction", data: { from, to } };
    return undefined;
  }
  const name = packageOf(specifier);
  const isBuiltin = specifier.startsWith("node:") || BUILTIN.has(name);
  if (from === "protocol" && (isBuiltin || !PROTOCOL_PACKAGES.test(specifier)))
    return { messageId: "impure", data: { specifier } };
  if (from === "examples" && name === manifest.name) return undefined;
  if (!isBuiltin && !DECLARED.has(name)) return { messageId: "undeclared", data: { name } };
  if (!isBuiltin && !isType && SHIPPED.includes(from) && manifest.dependencies[name] === undefined)
    return { messageId: "development", data: { from, name } };
  return undefined;
}

/** @type {import("eslint").Rule.RuleModule} */
export const rooms = {
  meta: {
    type: "problem",
    schema: [],
    messages: {
      direction: "{{from}} must not import {{to}}.",
      impure: "protocol imports only @noble and @hpke packages, not {{specifier}}.",
      undeclared: "{{name}} is not a dependency in package.json.",
      door: "A door is for programs of others; import from the defining file.",
      development: "{{from}} runs without development packages, and {{name}} is one.",
    },
  },
  create(context) {
    const check = (source, isType = false) => {
      if (source?.type !== "Literal" || typeof source.value !== "string") return;
      const found = objection(context.filename, source.value, isType);
      if (found !== undefined) context.report({ node: source, ...found });
    };
    return {
      ImportDeclaration: (node) => check(node.source, node.importKind === "type"),
      ImportExpression: (node) => check(node.source),
      ExportNamedDeclaration: (node) => check(node.source, node.exportKind === "type"),
      ExportAllDeclaration: (node) => check(node.source),
      TSImportType: (node) => check(node.source ?? node.argument?.literal, true),
      'NewExpression[callee.name="URL"][arguments.length=2]': ({ arguments: [path] }) => {
        if (path.type === "Literal" && /^\.{1,2}\/.*\.[cm]?[jt]s$/.test(String(path.value))) check(path);
      },
    };
  },
};

let house;

/** The circles of the repository, with this file as its source has it now. */
function circlesWith(path, source) {
  house ??= (() => {
    const graph = importGraph(Object.keys(ROOMS));
    return { graph, circles: circlesIn(graph) };
  })();
  const imported = importedFiles(path, source);
  if (imported.join() === house.graph.get(path)?.join()) return house.circles;
  return circlesIn(new Map(house.graph).set(path, imported));
}

/** @type {import("eslint").Rule.RuleModule} */
export const noCircles = {
  meta: { type: "problem", schema: [], messages: { circle: "These files import one another in a circle: {{files}}." } },
  create(context) {
    return {
      Program(node) {
        const path = context.filename;
        const circle = circlesWith(path, context.sourceCode.text).find((files) => files.includes(path));
        if (circle === undefined) return;
        context.report({ node, messageId: "circle", data: { files: circle.map(nameOf).sort().join(", ") } });
      },
    };
  },
};
