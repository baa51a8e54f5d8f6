/**
 * ESLint rule: imports point towards the rules of the protocol, never away from them, and each package used is a
 * declared dependency.
 *
 *   protocol <- adapters <- client | aggregator          ignition, scripts, test may use all of these; nothing imports
 *   scripts or test
 *
 * Covers static and dynamic imports, re-exports, and files named by `new URL("./worker.ts", import.meta.url)`.
 */
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, relative, resolve, sep } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");

/** Code folders a folder may import besides itself. */
const LAYERS = {
  protocol: [],
  adapters: ["protocol"],
  client: ["protocol", "adapters"],
  aggregator: ["protocol", "adapters"],
  ignition: ["protocol", "adapters"],
  bin: ["client", "aggregator", "scripts"],
  scripts: ["protocol", "adapters", "client", "aggregator", "ignition"],
  test: ["protocol", "adapters", "client", "aggregator", "ignition", "scripts"],
};

/** The only packages the protocol uses: audited cryptography without effects. */
const PROTOCOL_PACKAGES = /^@(noble|hpke)\//;

const manifest = JSON.parse(readFileSync(resolve(ROOT, "package.json"), "utf8"));
const DECLARED = new Set([...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)]);
const BUILTIN = new Set(builtinModules);

const folderOf = (path) => relative(ROOT, path).split(sep)[0];
const packageOf = (specifier) =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

/** Reason why a file may not import the specifier, as a message id with data, or undefined. */
function objection(filename, specifier) {
  const from = folderOf(filename);
  if (specifier.startsWith(".")) {
    const to = folderOf(resolve(dirname(filename), specifier));
    if (from === to) return undefined;
    if (from === "protocol" || (to in LAYERS && from in LAYERS && !LAYERS[from].includes(to)))
      return { messageId: "direction", data: { from, to } };
    return undefined;
  }
  const name = packageOf(specifier);
  const isBuiltin = specifier.startsWith("node:") || BUILTIN.has(name);
  if (from === "protocol" && (isBuiltin || !PROTOCOL_PACKAGES.test(specifier)))
    return { messageId: "impure", data: { specifier } };
  if (!isBuiltin && !DECLARED.has(name)) return { messageId: "undeclared", data: { name } };
  return undefined;
}

/** @type {import("eslint").Rule.RuleModule} */
export const layers = {
  meta: {
    type: "problem",
    schema: [],
    messages: {
      direction: "{{from}} must not import {{to}}.",
      impure: "protocol imports only @noble and @hpke packages, not {{specifier}}.",
      undeclared: "{{name}} is not a dependency in package.json.",
    },
  },
  create(context) {
    const check = (source) => {
      if (source?.type !== "Literal" || typeof source.value !== "string") return;
      const found = objection(context.filename, source.value);
      if (found !== undefined) context.report({ node: source, ...found });
    };
    return {
      ImportDeclaration: (node) => check(node.source),
      ImportExpression: (node) => check(node.source),
      ExportNamedDeclaration: (node) => check(node.source),
      ExportAllDeclaration: (node) => check(node.source),
      TSImportType: (node) => check(node.source ?? node.argument?.literal),
      'NewExpression[callee.name="URL"][arguments.length=2]': ({ arguments: [path] }) => {
        if (path.type === "Literal" && /^\.{1,2}\/.*\.[cm]?[jt]s$/.test(String(path.value))) check(path);
      },
    };
  },
};
