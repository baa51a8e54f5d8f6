import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ESLint } from "eslint";
import { describe, it } from "mocha";
import tseslint from "typescript-eslint";

const cwd = fileURLToPath(new URL("../../", import.meta.url));
/** Without type information a snippet may carry the name of a file that does not exist. */
const untyped = new ESLint({ cwd, overrideConfig: [tseslint.configs.disableTypeChecked] });
const typed = new ESLint({ cwd });

async function rulesBroken(eslint: ESLint, filePath: string, source: string): Promise<string[]> {
  const [result] = await eslint.lintText(`${source}\n`, { filePath });
  assert.ok(result !== undefined, `${filePath} is ignored by lint`);
  return result.messages.map(({ ruleId, message }) => ruleId ?? message);
}

/** Violation by name: file, source, rule that must refuse it. */
const REFUSED: Readonly<Record<string, readonly [string, string, string]>> = {
  "protocol importing adapters": ["protocol/example.ts", 'import "../adapters/chain/example.ts";', "verisum/layers"],
  "protocol importing generated code outside its folder": [
    "protocol/example.ts",
    'import "../contracts/generated/example.ts";',
    "verisum/layers",
  ],
  "protocol importing a Node module": ["protocol/example.ts", 'import "node:crypto";', "verisum/layers"],
  "protocol importing a Node module by its bare name": ["protocol/example.ts", 'import "crypto";', "verisum/layers"],
  "protocol importing a package with effects": ["protocol/example.ts", 'import "ethers";', "verisum/layers"],
  "protocol importing a type from a higher layer": [
    "protocol/example.ts",
    'export type { Example } from "../client/example.ts";',
    "verisum/layers",
  ],
  "adapters importing client": ["adapters/chain/example.ts", 'import "../../client/example.ts";', "verisum/layers"],
  "adapters importing aggregator": [
    "adapters/chain/example.ts",
    'import "../../aggregator/example.ts";',
    "verisum/layers",
  ],
  "client importing aggregator": ["client/audit/example.ts", 'import "../../aggregator/example.ts";', "verisum/layers"],
  "aggregator importing client": ["aggregator/example.ts", 'import "../client/example.ts";', "verisum/layers"],
  "a dynamic import against the direction": [
    "aggregator/example.ts",
    'await import("../client/example.ts");',
    "verisum/layers",
  ],
  "an inline type import against the direction": [
    "aggregator/example.ts",
    'export type Example = import("../client/example.ts").Example;',
    "verisum/layers",
  ],
  "a worker file against the direction": [
    "adapters/example.ts",
    'export const worker = new URL("../client/worker.ts", import.meta.url);',
    "verisum/layers",
  ],
  "client importing scripts": ["client/example.ts", 'import "../scripts/example.ts";', "verisum/layers"],
  "client importing test": ["client/example.ts", 'import "../test/support/example.ts";', "verisum/layers"],
  "scripts importing test": ["scripts/example.ts", 'import "../test/support/example.ts";', "verisum/layers"],
  "an undeclared package": ["adapters/example.ts", 'import "left-pad";', "verisum/layers"],
  "Math.random in the protocol": ["protocol/example.ts", "export const x = Math.random();", "no-restricted-properties"],
  "Math.random in a test": ["test/example.ts", "export const { random } = Math;", "no-restricted-properties"],
  "console outside the command edge": ["adapters/chain/example.ts", "console.error(1);", "no-console"],
  "console in a step of the client": ["client/example.ts", "console.error(1);", "no-console"],
  "a barrel": ["adapters/example.ts", 'export * from "./example-two.ts";', "no-restricted-syntax"],
  "an explicit any": ["client/example.ts", "export const x: any = 1;", "@typescript-eslint/no-explicit-any"],
  ...Object.fromEntries(
    ["Date", "fetch", "process", "console", "Buffer", "setTimeout", "crypto", "globalThis"].map((name) => [
      `${name} in the protocol`,
      ["protocol/example.ts", `export const x = ${name};`, "no-restricted-globals"] as const,
    ]),
  ),
};

const ACCEPTED: Readonly<Record<string, readonly [string, string]>> = {
  "protocol importing noble and its own files": [
    "protocol/example.ts",
    'import "@noble/hashes/sha3.js";\nimport "./field.ts";',
  ],
  "adapters importing protocol and Node": [
    "adapters/chain/example.ts",
    'import "node:fs";\nimport "ethers";\nimport "../../protocol/field.ts";',
  ],
  "client importing adapters and protocol": [
    "client/audit/example.ts",
    'import "../../adapters/chain/example.ts";\nimport "../../protocol/field.ts";',
  ],
  "a folder of the client that is named like a layer": [
    "client/audit/example.ts",
    'import "../aggregator/example.ts";',
  ],
  "test importing every layer": [
    "test/example.ts",
    'import "../client/a.ts";\nimport "../aggregator/a.ts";\nimport "../scripts/a.ts";\nimport "eslint";',
  ],
  "console at the command edge": ["client/cli.ts", "console.error(1);"],
};

describe("lint", function () {
  this.timeout(60_000);

  for (const [name, [filePath, source, rule]] of Object.entries(REFUSED)) {
    it(`refuses ${name}`, async () => {
      const broken = await rulesBroken(untyped, filePath, source);
      assert.ok(broken.includes(rule), `broken: ${broken.join(", ")}`);
    });
  }

  for (const [name, [filePath, source]] of Object.entries(ACCEPTED)) {
    it(`accepts ${name}`, async () => {
      assert.deepEqual(await rulesBroken(untyped, filePath, source), []);
    });
  }

  // Rules with type information need a file the compiler knows; its text is replaced.
  it("refuses a promise nobody waits for", async () => {
    const source = "export async function save(): Promise<void> {}\nexport function close(): void {\n  save();\n}";
    assert.deepEqual(await rulesBroken(typed, "protocol/errors.ts", source), [
      "@typescript-eslint/no-floating-promises",
    ]);
  });

  it("refuses a switch that leaves out a case", async () => {
    const source = 'export function f(x: "a" | "b"): void {\n  switch (x) {\n    case "a":\n      return;\n  }\n}';
    assert.deepEqual(await rulesBroken(typed, "protocol/errors.ts", source), [
      "@typescript-eslint/switch-exhaustiveness-check",
    ]);
  });
});
