/**
 * How much of the contracts the contract tests run: lines, and both outcomes of every simple condition.
 *
 *   npm run coverage              all of contracts/*.sol and contracts/libraries/*.sol
 *   npm run coverage -- --jobs 2  so many test files at a time
 *
 * As `npm run mutate` does, it compiles the contracts in a copy of the repository, in which each place reports that it
 * was reached. The page docs/mutants.md has the table.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { positiveInteger } from "../command/options.ts";
import { createProgram } from "../command/program.ts";
import { codeOf, readSources } from "./mutation/contracts.ts";
import { compileIn, makeCopy } from "./mutation/copy.ts";
import { coverageOf, coverageTable } from "./mutation/coverage.ts";
import { pointsOf } from "./mutation/points.ts";
import { TrialPool } from "./mutation/pool.ts";
import { measureReach } from "./mutation/reach.ts";
import { digestOfContracts } from "./mutation/results.ts";
import { findMutants, NONE_IS_ON, withMutants } from "./mutation/schemata.ts";
import { contractTests } from "./mutation/test-files.ts";

const ROOT = join(import.meta.dirname, "..");
const OUTPUT = join(ROOT, "build", "coverage");
/** What the table in docs/mutants.md is generated from. */
const PAGE_DATA = join(ROOT, "docs", "data", "coverage.json");

async function main(): Promise<void> {
  const program = createProgram("coverage", "measure what the contract tests run of the contracts").option(
    "--jobs <n>",
    "so many test files at a time",
    positiveInteger,
    2,
  );
  const { jobs } = (await program.parseAsync()).opts<{ readonly jobs: number }>();
  const sources = readSources(ROOT);
  const points = findMutants(sources, codeOf(sources), pointsOf);
  const counting = withMutants(sources, points, NONE_IS_ON);
  if (counting.mutants.length < points.length) throw new Error("some places do not compile where they are counted");
  mkdirSync(OUTPUT, { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), "verisum-coverage-"));
  try {
    makeCopy(ROOT, folder);
    const artifacts = await compileIn(folder, counting.sources, join(OUTPUT, "artifacts"));
    const pool = new TrialPool({ folder, artifacts, counts: true }, jobs);
    const known = join(OUTPUT, `reach-${digestOfContracts(sources)}.json`);
    const reach = await measureReach(known, pool, contractTests(folder)).finally(() => pool.close());
    const coverage = coverageOf(points, new Set([...reach.values()].flatMap(({ reached }) => reached)));
    writeFileSync(PAGE_DATA, `${JSON.stringify(coverage, undefined, 2)}\n`);
    for (const { file, line, operator, text } of coverage.missed) console.log(`${file}:${line} ${operator}: ${text}`);
    console.log(`\n${coverageTable(coverage)}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
