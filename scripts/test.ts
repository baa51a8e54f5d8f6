/**
 * What `npm test` runs: static checks, then the tests in groups, cheapest first, each after the builds that it needs.
 *
 *   npm test                      everything
 *   npm test -- unit contracts    these groups only: checks, unit, integration, circuits, contracts, end-to-end
 *   npm test -- --grep WORDS      tests whose title matches; further options go to mocha
 *
 * `npm run check` and `npm run test:unit` are two of these groups, which need no build. What failed is named once more
 * at the end; the last line reads `N passed, N failed[, N skipped]`, where a check or a build counts as one. The exit
 * status is 0 only if nothing failed and, where tests were asked for, one ran; it is 4 for wrong use.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildsFor, CHECKS, groupOf, JOBS, parseSelection, ROOT, testFiles, WrongUse } from "./testing/plan.ts";
import type { Selection, Step, TestGroup } from "./testing/plan.ts";

const BOOTSTRAP = join(ROOT, "bin", "bootstrap.mjs");

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What failed, a line each. */
  readonly failures: readonly string[];
}

const NOTHING: Counts = { passed: 0, failed: 0, skipped: 0, failures: [] };

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
  return code === 0 ? { ...NOTHING, passed: 1 } : { ...NOTHING, failed: 1, failures: [step.name] };
}

/** Runs one group in a mocha of its own. A mocha that dies or fails without a failed test counts as one failure. */
async function runGroup(group: TestGroup, options: readonly string[], folder: string): Promise<Counts> {
  const files = testFiles().filter((path) => groupOf(path) === group);
  const summary = join(folder, `${group}.json`);
  const reporter = ["--reporter", "scripts/mocha-summary.js", "--reporter-option", `summary=${summary}`];
  const parallel = JOBS[group] > 1 ? ["--parallel", "--jobs", String(JOBS[group])] : [];
  const strict = process.env["CI"] === undefined ? [] : ["--forbid-only"];
  const action = async (): Promise<Counts> => {
    const code = await run(["--bin", "mocha", ...reporter, ...parallel, ...strict, ...options, ...files]);
    const counts = existsSync(summary) ? (JSON.parse(readFileSync(summary, "utf8")) as Counts) : NOTHING;
    if (code === 0 || counts.failed > 0) return counts;
    return { ...counts, failed: 1, failures: [`${group} tests: exit code ${code} without a failed test`] };
  };
  return timed(`${group} tests`, action, describeCounts);
}

function describeCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

const add = (a: Counts, b: Counts): Counts => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
  failures: [...a.failures, ...b.failures],
});

async function runSteps(steps: readonly Step[]): Promise<Counts> {
  let total = NOTHING;
  for (const step of steps) total = add(total, await runStep(step));
  return total;
}

/** The groups of tests, each after those of its builds that have not run yet. */
async function runGroups({ groups, options }: Selection, folder: string): Promise<{ builds: Counts; tests: Counts }> {
  let [builds, tests] = [NOTHING, NOTHING];
  const built = new Set<Step>();
  for (const group of groups) {
    const missing = buildsFor(group, built);
    builds = add(builds, await runSteps(missing));
    for (const step of missing) built.add(step);
    tests = add(tests, await runGroup(group, options, folder));
  }
  return { builds, tests };
}

async function main(args: readonly string[]): Promise<number> {
  const selection = parseSelection(args);
  const folder = mkdtempSync(join(tmpdir(), "verisum-test-"));
  try {
    const checks = await runSteps(selection.checks ? CHECKS : []);
    const { builds, tests } = await runGroups(selection, folder);
    const total = add(checks, add(builds, tests));
    const isEmpty = selection.groups.length > 0 && tests.passed + tests.failed === 0;
    if (isEmpty) console.log("\nNo test ran.");
    if (total.failures.length > 0) console.log(["\nFailed:", ...total.failures].join("\n  "));
    console.log(`\n${describeCounts(total)}`);
    return total.failed === 0 && !isEmpty ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof WrongUse)) throw error;
  console.error(`✗ USAGE: ${error.message}`);
  process.exitCode = 4;
}
