/** What there is to check, build and test, and what each group of tests needs. */
import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Arguments of the bootstrap, which runs a file of the repository or a program of a dependency. */
export interface Step {
  readonly name: string;
  readonly args: readonly string[];
}

/** Static checks, cheapest first; none needs a build. */
export const CHECKS: readonly Step[] = [
  { name: "generated files", args: ["scripts/generate.ts", "--check"] },
  { name: "unused files, exports and dependencies", args: ["--bin", "knip"] },
  {
    name: "Solidity lint",
    args: [
      "--bin",
      "solhint",
      "-c",
      "solhint.yaml",
      "--disc",
      "--noPoster",
      "--max-warnings",
      "0",
      "contracts/**/*.sol",
    ],
  },
  { name: "format", args: ["--bin", "prettier", "--check", "--log-level", "warn", "."] },
  { name: "types", args: ["--bin", "tsc", "--noEmit"] },
  { name: "types of the dashboard", args: ["--bin", "tsc", "--noEmit", "-p", "dashboard"] },
  { name: "lint", args: ["--bin", "eslint", "."] },
];

const BUILDS = {
  contracts: { name: "contracts build", args: ["--bin", "hardhat", "build", "--quiet"] },
  circuits: { name: "circuits and keys", args: ["scripts/build.ts"] },
  dashboard: { name: "dashboard", args: ["scripts/build-dashboard.ts"] },
} as const satisfies Readonly<Record<string, Step>>;

/** Groups of tests, cheapest first, with the builds that each needs. */
const NEEDS = {
  unit: [],
  integration: ["contracts", "circuits", "dashboard"],
  circuits: ["circuits"],
  contracts: ["contracts"],
  properties: ["contracts"],
  "end-to-end": ["contracts", "circuits"],
} as const satisfies Readonly<Record<string, readonly (keyof typeof BUILDS)[]>>;

export type TestGroup = keyof typeof NEEDS;

export const TEST_GROUPS = Object.keys(NEEDS) as readonly TestGroup[];

/** What may be asked for by name. */
const SELECTABLE: readonly string[] = ["checks", ...TEST_GROUPS];

/**
 * Tests of one room that need compiled contracts or circuits, or development keys, run every program, or take half a
 * minute.
 */
export const INTEGRATION: readonly string[] = [
  "test/adversarial/processes.test.ts",
  "test/auditor/report/report.test.ts",
  "test/auditor/round-vector.test.ts",
  "test/browser/verify-submission.test.ts",
  "test/chain/connect.test.ts",
  "test/chain/deadlines.test.ts",
  "test/chain/long-chain.test.ts",
  "test/chain/contract-suite.test.ts",
  "test/chain/generated-shapes.test.ts",
  "test/chain/released-code.test.ts",
  "test/chain/submissions.test.ts",
  "test/chain/transactions.test.ts",
  "test/chain/whole-rounds.test.ts",
  "test/client/status-page.test.ts",
  "test/client/trainers/process.test.ts",
  "test/command/every-command.test.ts",
  "test/content/gateway-conformance.test.ts",
  "test/dashboard/pages.test.ts",
  "test/dashboard/participate.test.ts",
  "test/dashboard/verify.test.ts",
  "test/demo/with-processes.test.ts",
  "test/integrations/python-auditor.test.ts",
  "test/integrations/python.test.ts",
  "test/indexer/index-task.test.ts",
  "test/operator/deploy.test.ts",
  "test/operator/lists.test.ts",
  "test/proving/ceremony/powers.test.ts",
  "test/proving/ceremony/setup.test.ts",
  "test/proving/ceremony/transcript.test.ts",
  "test/proving/groth16/chunk-prover.test.ts",
  "test/proving/groth16/circuit-files.test.ts",
  "test/proving/groth16/external-prover.test.ts",
  "test/proving/groth16/key-check.test.ts",
  "test/proving/groth16/keys.test.ts",
  "test/proving/groth16/quotient.test.ts",
  "test/proving/groth16/witness-writer.test.ts",
  "test/proving/node/check-record.test.ts",
  "test/simulation/simulation.test.ts",
  "test/structure/import-direction.test.ts",
  "test/task/keys.test.ts",
];

const TWO = Math.min(2, availableParallelism());

/** Processes by group: files of these have chains, ports and folders of their own, and wait for little else. */
export const JOBS: Readonly<Record<TestGroup, number>> = {
  unit: Math.min(4, availableParallelism()),
  integration: 1,
  circuits: 1,
  contracts: 1,
  properties: 1,
  "end-to-end": TWO,
};

/** The group of a test file, by its path from the root; what has none of its own is a unit test, so none is lost. */
export function groupOf(path: string): TestGroup {
  if (INTEGRATION.includes(path)) return "integration";
  return TEST_GROUPS.find((name) => path.startsWith(`test/${name}/`)) ?? "unit";
}

/** Every test file, by its path from the root with forward slashes, in order. */
export function testFiles(): readonly string[] {
  return globSync("test/**/*.test.ts", { cwd: ROOT })
    .map((path) => path.replaceAll("\\", "/"))
    .sort();
}

/** Builds that a group needs and that have not run yet. */
export function buildsFor(group: TestGroup, done: ReadonlySet<Step>): readonly Step[] {
  return NEEDS[group].map((name): Step => BUILDS[name]).filter((step) => !done.has(step));
}

/** The command line cannot be followed; the message says why. */
export class WrongUse extends Error {}

/** What `npm test` was asked for: everything, or a selection; `options` go to mocha. */
export interface Selection {
  readonly checks: boolean;
  readonly groups: readonly TestGroup[];
  readonly options: readonly string[];
}

/**
 * Splits the arguments into group names and options for mocha; `--grep` takes a value, as do mocha's other options
 * written with `=`. Names or options alone leave the checks out.
 * @throws WrongUse
 */
export function parseSelection(args: readonly string[]): Selection {
  const isOurs = (arg: string): boolean => !arg.startsWith("--") || arg.startsWith("--grep");
  const { positionals, grep } = parsed(args.filter(isOurs));
  const unknown = positionals.filter((name) => !SELECTABLE.includes(name));
  if (unknown.length > 0) {
    throw new WrongUse(`there is no group ${unknown.join(", ")}; the groups are ${SELECTABLE.join(", ")}`);
  }
  return {
    checks: positionals.includes("checks") || args.length === 0,
    groups: TEST_GROUPS.filter((name) => positionals.length === 0 || positionals.includes(name)),
    options: [...(grep === undefined ? [] : ["--grep", grep]), ...args.filter((arg) => !isOurs(arg))],
  };
}

function parsed(args: readonly string[]): { readonly positionals: readonly string[]; readonly grep?: string } {
  try {
    const options = { grep: { type: "string", short: "g" } } as const;
    const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true });
    return { positionals, ...values };
  } catch (error) {
    throw new WrongUse(error instanceof Error ? error.message : String(error));
  }
}
