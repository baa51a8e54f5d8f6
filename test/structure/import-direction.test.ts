import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ESLint } from "eslint";
import { describe, it } from "mocha";
import tseslint from "typescript-eslint";

const { ROOMS } = (await import(new URL("../../scripts/lint/rooms.js", import.meta.url).href)) as {
  readonly ROOMS: Readonly<Record<string, readonly string[]>>;
};
const { runtimeImports } = (await import(new URL("../../scripts/lint/imports.js", import.meta.url).href)) as {
  runtimeImports(path: string, source: string): readonly string[];
};
const { importGraph, nameOf } = (await import(new URL("../../scripts/lint/imports.js", import.meta.url).href)) as {
  importGraph(rooms: readonly string[]): Map<string, readonly string[]>;
  nameOf(path: string): string;
};
const ROOM_NAMES = Object.keys(ROOMS);
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
  "protocol importing generated code outside its folder": [
    "protocol/example.ts",
    'import "../contracts/generated/example.ts";',
    "verisum/rooms",
  ],
  "protocol importing a Node module": ["protocol/example.ts", 'import "node:crypto";', "verisum/rooms"],
  "protocol importing a Node module by its bare name": ["protocol/example.ts", 'import "crypto";', "verisum/rooms"],
  "protocol importing a package with effects": ["protocol/example.ts", 'import "ethers";', "verisum/rooms"],
  "protocol importing a type from a higher room": [
    "protocol/example.ts",
    'export type { Example } from "../client/example.ts";',
    "verisum/rooms",
  ],
  "a dynamic import against the direction": [
    "aggregator/example.ts",
    'await import("../client/example.ts");',
    "verisum/rooms",
  ],
  "an inline type import against the direction": [
    "aggregator/example.ts",
    'export type Example = import("../client/example.ts").Example;',
    "verisum/rooms",
  ],
  "a worker file against the direction": [
    "proving/curve/example.ts",
    'export const worker = new URL("../../client/worker.ts", import.meta.url);',
    "verisum/rooms",
  ],
  "a room importing test": ["client/example.ts", 'import "../test/support/example.ts";', "verisum/rooms"],
  "an undeclared package": ["chain/example.ts", 'import "left-pad";', "verisum/rooms"],
  "a door inside the house": ["test/example.ts", 'import "../client/door.ts";', "verisum/rooms"],
  "an example importing a file": ["examples/example.ts", 'import "../client/join.ts";', "verisum/rooms"],
  "a role importing a compiler": ["operator/example.ts", 'await import("hardhat");', "verisum/rooms"],
  "two files that import each other": [
    "protocol/errors.ts",
    'import type { ModelState } from "./model.ts";\nexport type Example = ModelState;',
    "verisum/no-circles",
  ],
  "a Node module in the auditor's checks": ["auditor/audit-round.ts", 'import "node:crypto";', "verisum/portable"],
  "a Node module by its bare name in a CID check": ["content/cid.ts", 'import "fs/promises";', "verisum/portable"],
  "a package that needs Node in a file that the auditor's checks use": [
    "task/checkpoint.ts",
    'import "fastify";',
    "verisum/portable",
  ],
  "a file in the auditor's checks that leads to a Node module": [
    "auditor/round-checks.ts",
    'import "../content/store.ts";',
    "verisum/portable",
  ],
  "a lazy import in the auditor's checks that leads to a Node module": [
    "auditor/round-checks.ts",
    'export const later = (): Promise<unknown> => import("../content/store.ts");',
    "verisum/portable",
  ],
  "threads of Node in the curve": ["proving/curve/example.ts", 'import "node:worker_threads";', "verisum/portable"],
  "a global of Node in the auditor's checks": [
    "auditor/checklist.ts",
    "export const x = Buffer.alloc(1);",
    "verisum/portable",
  ],
  "the folder of a file in the auditor's checks": [
    "auditor/checklist.ts",
    "export const x = import.meta.dirname;",
    "verisum/portable",
  ],
  "a line of more than 120 columns": ["client/example.ts", `export const x = [${"1, ".repeat(40)}1];`, "max-len"],
  "a file of more than 400 lines": ["client/example.ts", "export {};\n".repeat(401), "max-lines"],
  "Math.random in the protocol": ["protocol/example.ts", "export const x = Math.random();", "no-restricted-properties"],
  "Math.random in a test": ["test/example.ts", "export const { random } = Math;", "no-restricted-properties"],
  "console outside the command edge": ["chain/example.ts", "console.error(1);", "no-console"],
  "console in a step of the client": ["client/example.ts", "console.error(1);", "no-console"],
  "a barrel": ["chain/example.ts", 'export * from "./example-two.ts";', "no-restricted-syntax"],
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
  "a room importing Node, a package and the protocol": [
    "chain/example.ts",
    'import "node:fs";\nimport "ethers";\nimport "../protocol/field.ts";',
  ],
  "a role importing a type of a development package": ["chain/example.ts", 'export type { Abi } from "abitype";'],
  "an example importing the package": ["examples/example.ts", 'import "verisum/client";'],
  "a script importing a compiler": ["scripts/example.ts", 'import "hardhat";'],
  "a folder of a room that is named like another room": [
    "client/audit/example.ts",
    'import "../aggregator/example.ts";',
  ],
  "a type from a file that needs Node in the auditor's checks": [
    "auditor/round-checks.ts",
    'import type { ContentStore } from "../content/store.ts";\nexport type Example = ContentStore;',
  ],
  "a Node module beside the auditor's checks": ["auditor/cli.ts", 'import "node:fs/promises";'],
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

  for (const room of ROOM_NAMES) {
    it(`lets ${room} import ${ROOMS[room]!.join(", ") || "no other room"}, and nothing else`, async () => {
      const others = ROOM_NAMES.filter((other) => other !== room);
      const source = others.map((other) => `import "../${other}/example.ts";`).join("\n");
      const [result] = await untyped.lintText(`${source}\n`, { filePath: `${room}/example.ts` });
      const refused = result!.messages
        .filter(({ ruleId }) => ruleId === "verisum/rooms")
        .map(({ line }) => others[line - 1]);
      assert.deepEqual(
        refused,
        others.filter((other) => !ROOMS[room]!.includes(other)),
      );
    });
  }

  it("finds no file of the product that only tests import", () => {
    // The exact sampler is the definition that the fast ones are tested against.
    const references = ["protocol/privacy/discrete-gaussian.ts"];
    const entries =
      /^(auditor|client|aggregator)\/cli\.ts$|\/door\.ts$|^(scripts|demo|experiments|bin|ignition|examples)\//;
    const importers = new Map<string, string[]>();
    for (const [file, imported] of importGraph(ROOM_NAMES))
      for (const target of imported)
        importers.set(nameOf(target), [...(importers.get(nameOf(target)) ?? []), nameOf(file)]);
    const onlyTested = [...importers].filter(
      ([file, by]) => !file.startsWith("test/") && !entries.test(file) && by.every((name) => name.startsWith("test/")),
    );
    assert.deepEqual(
      onlyTested.map(([file]) => file),
      references,
    );
  });

  it("knows every room that has sources", () => {
    const sources = globSync("*/**/*.{ts,js,mjs}", { cwd, exclude: ["**/node_modules/**"] });
    const rooms = new Set(sources.map((path) => path.replaceAll("\\", "/").split("/")[0]!));
    const withoutRule = ["artifacts", "build", "cache", "coverage", "dist", "types"];
    assert.deepEqual(
      [...rooms].filter((room) => !ROOM_NAMES.includes(room) && !withoutRule.includes(room)),
      [],
    );
  });

  it("takes for run-time imports what is left when types are gone", () => {
    const source = `
      import type { A } from "types-alone";
      export type { B, C } from "types-alone-too";
      export type D = typeof import("a-type-query");
      export type E = import("an-inline-type").E;
      export type F = "f";
      import { type G, h } from "a-value";
      export { i } from "passed-on";
      import "an-effect";
      export const later = () => import("later");`;
    assert.deepEqual(runtimeImports(`${cwd}auditor/example.ts`, source), [
      "a-value",
      "passed-on",
      "an-effect",
      "later",
    ]);
  });

  it("names the way from the auditor's checks to what a browser cannot run", async () => {
    const source = 'import "../content/disk.ts";';
    const [result] = await untyped.lintText(`${source}\n`, { filePath: "auditor/round-checks.ts" });
    assert.deepEqual(
      result!.messages.map(({ message }) => message),
      [
        "A browser cannot run auditor/audit-task.ts → auditor/audit-round.ts → auditor/round-checks.ts → " +
          "content/disk.ts → node:fs/promises.",
      ],
    );
  });

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
