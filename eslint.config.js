import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";
import { portable } from "./scripts/lint/portable.js";
import { noCircles, rooms, SHIPPED } from "./scripts/lint/rooms.js";

const PRINTING_FILES = [
  "command/**",
  "client/cli.ts",
  "auditor/cli.ts",
  "aggregator/cli.ts",
  "bin/**",
  "scripts/**",
  "demo/**",
  "examples/**",
  "experiments/**",
  "test/**",
];

const effect = (name) => ({ name, message: "The protocol is pure: take this as an argument." });

export default defineConfig(
  {
    ignores: [
      "node_modules/",
      ".toolchain/",
      "build/",
      "artifacts/",
      "cache/",
      "coverage/",
      "dist/",
      "types/",
      "**/generated/",
    ],
  },
  tseslint.configs.recommendedTypeChecked,
  {
    plugins: { verisum: { rules: { rooms, "no-circles": noCircles, portable } } },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "verisum/rooms": "error",
      "verisum/no-circles": "error",
      "verisum/portable": "error",
      "no-console": "error",
      "no-restricted-properties": [
        "error",
        { object: "Math", property: "random", message: "Randomness is an argument (protocol/random.ts)." },
      ],
      "no-restricted-syntax": [
        "error",
        { selector: "ExportAllDeclaration", message: "Import from the defining file; barrels hide it." },
        {
          selector:
            "AssignmentExpression > CallExpression.right[callee.object.name='Math'] > AwaitExpression.arguments, AssignmentExpression[operator=/^[-+*|&]=/] > AwaitExpression.right",
          message: "What stands beside an await was read before it: wait first, then compute and assign.",
        },
      ],
      "no-unused-vars": "off",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrorsIgnorePattern: "^_" },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      // Ports are asynchronous even where one implementation is not.
      "@typescript-eslint/require-await": "off",
      // Ports are plain records of functions; none of them uses `this`.
      "@typescript-eslint/unbound-method": "off",
      "max-len": [
        "error",
        { code: 120, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true, ignoreUrls: true },
      ],
      // A file is one idea: about 200 lines, and a reason to cut it long before 400.
      "max-lines": ["error", 400],
      eqeqeq: "error",
      "no-fallthrough": "error",
      "no-constant-condition": "error",
      "no-self-compare": "error",
      "no-unsafe-finally": "error",
      "no-control-regex": "error",
      "no-unused-labels": "error",
    },
  },
  {
    files: ["protocol/**"],
    rules: {
      "no-restricted-globals": [
        "error",
        ...[
          "Date",
          "fetch",
          "process",
          "console",
          "Buffer",
          "crypto",
          "performance",
          "setTimeout",
          "setInterval",
          "setImmediate",
          "globalThis",
        ].map(effect),
      ],
    },
  },
  {
    files: SHIPPED.map((room) => `${room}/**`),
    ignores: ["storage/folder.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          paths: ["node:fs", "node:fs/promises"].map((name) => ({
            name,
            importNames: ["mkdir", "mkdirSync"],
            message: "Its recursive form may never end: makeFolder (storage/folder.ts) does.",
          })),
        },
      ],
    },
  },
  { files: PRINTING_FILES, rules: { "no-console": "off" } },
  {
    // Long lists of cases over one fixture, which a reader searches rather than reads.
    files: [
      "test/chain/contract-suite.ts",
      "test/content/gateway.test.ts",
      "test/contracts/rounds.test.ts",
      "test/end-to-end/tamper.test.ts",
      "test/support/{round-harness,task-on-chain}.ts",
    ],
    rules: { "max-lines": ["error", 800] },
  },
  {
    // Tests probe with loosely typed values.
    files: ["test/**"],
    rules: {
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      "@typescript-eslint/no-base-to-string": "off",
    },
  },
  {
    files: ["**/*.js", "**/*.mjs"],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { process: "readonly", console: "readonly", URL: "readonly" } },
  },
);
