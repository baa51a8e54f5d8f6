/**
 * ESLint's rule that what checks a round runs in a browser (docs/architecture.md): nothing that these files import at
 * run time, directly or by way of others, is Node's, and none of it uses a global that only Node has. Files, threads
 * and digests reach them as arguments, by the ports in protocol/ports.ts. Types may come from anywhere: they are gone
 * at run time. Packages pass unless they are known to need Node; test/browser/bundle.test.ts asks a bundler.
 */
import { builtinModules } from "node:module";
import { resolve } from "node:path";
import { importGraph, nameOf, ROOT, runtimeImports, wayTo } from "./imports.js";
import { ROOMS } from "./rooms.js";

/** What runs in a browser, with everything that it imports: files, and folders with all their files. */
export const PORTABLE = [
  "auditor/audit-task.ts",
  "auditor/verify-here.ts",
  "content/car.ts",
  "content/cid.ts",
  "content/dag.ts",
  "content/profile.ts",
  "proving/curve/",
  "proving/groth16/key-check.ts",
  "proving/groth16/public-keys.ts",
  "task/open-task.ts",
  "task/signed-submission.ts",
];

/** Packages that need Node, or do what no checker does. */
const NODE_PACKAGES =
  /^(@fastify\/|@nomicfoundation\/|@tensorflow\/|blockstore-fs\b|circom2\b|cli-table3\b|commander\b|fastify\b|hardhat\b|papaparse\b|picocolors\b|snarkjs\b|solc\b)/;
/** Globals of Node that a browser does not have. */
const NODE_GLOBALS = new Set([
  "Buffer",
  "__dirname",
  "__filename",
  "clearImmediate",
  "exports",
  "global",
  "module",
  "process",
  "require",
  "setImmediate",
]);
const NODE_META = new Set(["dirname", "filename"]);
const BUILTIN = new Set(builtinModules);

const needsNode = (specifier) =>
  specifier.startsWith("node:") || BUILTIN.has(specifier.split("/")[0]) || NODE_PACKAGES.test(specifier);

let disk;

/** The run-time imports of the repository, with this file as its source has it now. */
function graphWith(path, source) {
  disk ??= importGraph(Object.keys(ROOMS), runtimeImports);
  return new Map(disk).set(path, runtimeImports(path, source));
}

const isForbidden = (step) => !step.startsWith(ROOT) && needsNode(step);
const wayText = (way) => way.map((step) => (step.startsWith(ROOT) ? nameOf(step) : step)).join(" → ");

/** The way from a portable file to this one, or undefined. */
function wayInto(graph, path) {
  const entries = PORTABLE.flatMap((entry) =>
    entry.endsWith("/") ? [...graph.keys()].filter((file) => nameOf(file).startsWith(entry)) : [resolve(ROOT, entry)],
  );
  const ways = entries.map((entry) => wayTo(graph, entry, (step) => step === path));
  return ways.filter((way) => way !== undefined).sort((a, b) => a.length - b.length)[0];
}

/** @type {import("eslint").Rule.RuleModule} */
export const portable = {
  meta: {
    type: "problem",
    schema: [],
    messages: {
      imports: "A browser cannot run {{way}}.",
      global: "A browser has no {{name}}, and this file has to run there: {{way}}.",
    },
  },
  create(context) {
    const path = context.filename;
    const graph = graphWith(path, context.sourceCode.text);
    const into = wayInto(graph, path);
    if (into === undefined) return {};
    const check = (node, isType = false) => {
      if (isType || node?.type !== "Literal" || typeof node.value !== "string") return;
      const target = node.value.startsWith(".") ? resolve(path, "..", node.value) : node.value;
      const way = wayTo(graph, target, isForbidden);
      if (way !== undefined) context.report({ node, messageId: "imports", data: { way: wayText([...into, ...way]) } });
    };
    const checkGlobal = (node, name) =>
      context.report({ node, messageId: "global", data: { name, way: wayText(into) } });
    return {
      ImportDeclaration: (node) => check(node.source, node.importKind === "type"),
      ExportNamedDeclaration: (node) => check(node.source, node.exportKind === "type"),
      ExportAllDeclaration: (node) => check(node.source, node.exportKind === "type"),
      ImportExpression: (node) => check(node.source),
      'NewExpression[callee.name="URL"][arguments.length=2]': (node) => check(node.arguments[0]),
      MemberExpression: (node) => {
        if (node.object.type !== "MetaProperty" || !NODE_META.has(node.property.name)) return;
        checkGlobal(node, `import.meta.${node.property.name}`);
      },
      "Program:exit": (node) => {
        for (const { identifier, isValueReference } of context.sourceCode.getScope(node).through)
          if (isValueReference !== false && NODE_GLOBALS.has(identifier.name)) checkGlobal(identifier, identifier.name);
      },
    };
  },
};
