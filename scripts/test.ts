/**
 * What `npm test` runs: static checks, builds, then the tests in groups, cheapest first.
 *
 *   npm test                      everything
 *   npm test -- unit contracts    these groups only: unit, circuits, contracts, end-to-end
 *   npm test -- --grep WORDS      tests whose title matches; further options go to mocha
 *
 * A selection leaves out the static checks and keeps the builds. The last line reads `N passed, N failed[, N skipped]`,
 * where a check or a build counts as one. The exit code is 0 only if nothing failed and at least one test ran.
 */
import { spawn } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const BOOTSTRAP = join(ROOT, "bin", "bootstrap.mjs");

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A command of this repository; `file` is what must exist for it to make sense. */
interface Step {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
}

const CHECKS: readonly Step[] = [
  { name: "types", file: "tsconfig.json", args: ["--bin", "tsc", "--noEmit"] },
  { name: "lint", file: "eslint.config.js", args: ["--bin", "eslint", "."] },
  { name: "generated files", file: "scripts/generate.ts", args: ["scripts/generate.ts", "--check"] },
];

const BUILDS: readonly Step[] = [
  { name: "contracts build", file: "hardhat.config.ts", args: ["--bin", "hardhat", "build", "--quiet"] },
  { name: "circuits and keys", file: "scripts/build.ts", args: ["scripts/build.ts"] },
];

const GROUPS = ["unit", "circuits", "contracts", "end-to-end"] as const;
type Group = (typeof GROUPS)[number];

/** Files of these tests have a chain, ports and folders of their own, and wait for little but the processor. */
const PARALLEL: Partial<Record<Group, number>> = { "end-to-end": Math.min(2, availableParallelism()) };

/** Test files by group; whatever has no group of its own is a unit test, so that no folder is forgotten. */
function filesOf(group: Group): readonly string[] {
  const folderGroup = (path: string): Group => GROUPS.find((name) => path.startsWith(`test/${name}/`)) ?? "unit";
  return globSync("test/**/*.test.ts", { cwd: ROOT })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => folderGroup(path) === group)
    .sort();
}

/** Runs a command through the bootstrap with inherited output; resolves to its exit code. */
function run(args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BOOTSTRAP, ...args], { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] });
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}

async function timed<T>(name: string, action: () => Promise<T>, verdict: (result: T) => string): Promise<T> {
  console.log(`\n== ${name}`);
  const startedAt = performance.now();
  const result = await action();
  console.log(`== ${name}: ${verdict(result)} in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  return result;
}

async function runStep(step: Step): Promise<Counts> {
  const code = await timed(
    step.name,
    () => run(step.args),
    (exitCode) => (exitCode === 0 ? "ok" : `failed (exit code ${exitCode})`),
  );
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

/** Runs one group in a mocha of its own. A mocha that dies or fails without a failed test counts as one failure. */
async function runGroup(
  group: Group,
  files: readonly string[],
  options: readonly string[],
  folder: string,
): Promise<Counts> {
  const summary = join(folder, `${group}.json`);
  const reporter = ["--reporter", "scripts/mocha-summary.js", "--reporter-option", `summary=${summary}`];
  const jobs = PARALLEL[group] ?? 1;
  const parallel = jobs > 1 && files.length > 1 ? ["--parallel", "--jobs", String(jobs)] : [];
  const strict = process.env["CI"] === undefined ? [] : ["--forbid-only"];
  const action = async (): Promise<Counts> => {
    const code = await run(["--bin", "mocha", ...reporter, ...parallel, ...strict, ...options, ...files]);
    const counts = existsSync(summary)
      ? (JSON.parse(readFileSync(summary, "utf8")) as Counts)
      : { passed: 0, failed: 0, skipped: 0 };
    return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
  };
  return timed(`${group} tests`, action, describeCounts);
}

function describeCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

function sum(counts: readonly Counts[]): Counts {
  return counts.reduce(
    (a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped }),
    { passed: 0, failed: 0, skipped: 0 },
  );
}

/**
 * Splits the arguments into group names and options for mocha; `--grep` takes a value, as do mocha's other options
 * written with `=`.
 */
function parseSelection(args: readonly string[]): {
  readonly groups: readonly Group[];
  readonly options: readonly string[];
} {
  const { positionals, values } = parseArgs({
    args: args.filter((arg) => !arg.startsWith("--") || arg.startsWith("--grep")),
    options: { grep: { type: "string", short: "g" } },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => !(GROUPS as readonly string[]).includes(name));
  if (unknown.length > 0)
    throw new Error(`There is no test group ${unknown.join(", ")}; groups are ${GROUPS.join(", ")}.`);
  const others = args.filter((arg) => arg.startsWith("--") && !arg.startsWith("--grep"));
  return {
    groups: GROUPS.filter((group) => positionals.includes(group)),
    options: [...(values.grep === undefined ? [] : ["--grep", values.grep]), ...others],
  };
}

async function main(args: readonly string[]): Promise<number> {
  const { groups, options } = parseSelection(args);
  const isSelection = args.length > 0;
  const wanted = [...(isSelection ? [] : CHECKS), ...BUILDS];
  const folder = mkdtempSync(join(tmpdir(), "verisum-test-"));
  try {
    const steps: Counts[] = [];
    for (const step of wanted) {
      if (existsSync(join(ROOT, step.file))) steps.push(await runStep(step));
      else console.log(`\n== ${step.name}: not run, there is no ${step.file}`);
    }
    const tests: Counts[] = [];
    for (const group of groups.length > 0 ? groups : GROUPS) {
      const files = filesOf(group);
      if (files.length > 0) tests.push(await runGroup(group, files, options, folder));
    }
    const total = sum([...steps, ...tests]);
    const { passed, failed } = sum(tests);
    if (passed + failed === 0) console.log("\nNo test ran.");
    console.log(`\n${describeCounts(total)}`);
    return total.failed === 0 && passed > 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 64;
}
