/**
 * Mutants of the contracts, each tried against the contract tests: what survives is what no test notices.
 *
 *   npm run mutate                                   all of contracts/*.sol and contracts/libraries/*.sol
 *   npm run mutate -- --file contracts/Verisum.sol   this file only; may be given several times
 *   npm run mutate -- --limit 50 --seed 7            a sample of 50, drawn with this seed
 *   npm run mutate -- --jobs 2                       so many at a time
 *
 * All mutants are compiled together, in a copy of the repository, and switched on one by one. Results are kept in
 * build/mutation: a run that was stopped goes on, and what a test noticed is not tried again before that test changes.
 */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { positiveInteger } from "../command/options.ts";
import { repeatable } from "../command/repeatable.ts";
import { createProgram } from "../command/program.ts";
import { VerisumError } from "../protocol/errors.ts";
import { codeOf, readSources } from "./mutation/contracts.ts";
import { compileIn, makeCopy } from "./mutation/copy.ts";
import { orderedFiles } from "./mutation/order.ts";
import { TrialPool } from "./mutation/pool.ts";
import { measureReach } from "./mutation/reach.ts";
import type { ReachMap } from "./mutation/reach.ts";
import { reportOf, summaryOf } from "./mutation/report.ts";
import { digestOfContracts, idOf, Results, stillHolds } from "./mutation/results.ts";
import type { Result } from "./mutation/results.ts";
import { findMutants, NONE_IS_ON, ONE_IS_ON, withMutants } from "./mutation/schemata.ts";
import type { PlacedMutant } from "./mutation/schemata.ts";
import { contractTests } from "./mutation/test-files.ts";

const ROOT = join(import.meta.dirname, "..");
const OUTPUT = join(ROOT, "build", "mutation");
/** What docs/mutants.md is generated from; a run over all contracts writes it. */
const PAGE_DATA = join(ROOT, "docs", "data", "mutants.json");
/** A trial may take so many times the processor time of the same tests without a mutant, and some seconds. */
const PATIENCE = 5;
const START_SECONDS = 20;
const FIRST_FILES = 2;

/** What all trials of a run share. */
interface Run {
  readonly contracts: string;
  readonly tests: ReadonlyMap<string, string>;
  readonly reach: ReachMap;
  readonly results: Results;
}

/** The first `limit` in an order that depends on the seed only. */
function sample(mutants: readonly PlacedMutant[], limit: number, seed: string): readonly PlacedMutant[] {
  return limit >= mutants.length ? mutants : shuffled(mutants, seed).slice(0, limit);
}

/** In an order that depends on the seed only. */
function shuffled(mutants: readonly PlacedMutant[], seed: string): readonly PlacedMutant[] {
  const rank = ({ number }: PlacedMutant): string => createHash("sha256").update(`${seed} ${number}`).digest("hex");
  return mutants.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

/** Tries one mutant against the files that reach it, the best first, but for those that are known to notice nothing. */
async function tryMutant(run: Run, pool: TrialPool, mutant: PlacedMutant, most: number): Promise<Result> {
  const { number, file, line, operator, text, before } = mutant;
  const id = idOf(mutant, run.contracts);
  const earlier = run.results.get(id);
  const unmoved = earlier?.outcome === "survived" ? earlier.tests : {};
  const digests = (names: readonly string[]): Result["tests"] =>
    Object.fromEntries(names.map((name) => [name, run.tests.get(name)!]));
  const known = { id, file, line, operator, text, before };
  let files: readonly string[] = [];
  const report = await pool.run(() => {
    const reaching = orderedFiles(mutant, run.reach, run.results.all(), earlier?.by ?? "");
    files = reaching.filter((name) => unmoved[name] !== run.tests.get(name)).slice(0, most);
    const unharmed = files.reduce((sum, name) => sum + run.reach.get(name)!.seconds, 0);
    return { mutant: number, files, limitSeconds: PATIENCE * unharmed + START_SECONDS };
  });
  if (report === undefined)
    return { ...known, outcome: "timeout", failure: "", by: "", missed: [], tests: digests(files), seconds: 0 };
  const { failure, seconds } = report;
  if (failure === undefined) {
    const missed = [...Object.keys(unmoved).filter((name) => unmoved[name] === run.tests.get(name)), ...files];
    return { ...known, outcome: "survived", failure: "", by: "", missed, tests: digests(missed), seconds };
  }
  const { title, reason, file: by } = failure;
  const missed = files.slice(0, files.indexOf(by));
  return { ...known, outcome: "killed", failure: `${title}: ${reason}`, by, missed, tests: digests([by]), seconds };
}

async function tryAll(run: Run, pool: TrialPool, mutants: readonly PlacedMutant[]): Promise<void> {
  const files = [...run.tests.keys()];
  const control = await pool.run(() => ({ mutant: 0, files, limitSeconds: 1e6 }));
  if (control?.failure !== undefined)
    throw new Error(`tests fail without a mutant: ${JSON.stringify(control.failure)}`);
  const attempt = async (mutant: PlacedMutant, most: number): Promise<void> => {
    const result = await tryMutant(run, pool, mutant, most);
    run.results.add(result);
    const { outcome, file, line, operator, seconds, failure } = result;
    console.log(`${outcome} ${file}:${line} ${operator} (${seconds.toFixed(1)} s) ${failure}`);
  };
  // First the files that most likely notice it, so that what is left over is seen early; in an order that has nothing
  // to do with their places, so that a run that is stopped has tried a sample of what is left.
  for (const most of [FIRST_FILES, Infinity]) {
    const left = shuffled(
      mutants.filter((mutant) => !isKnown(run, mutant)),
      `at most ${most} files`,
    );
    // A trial that says nothing is no result: the others go on, and the next run tries it again.
    await Promise.all(left.map((mutant) => attempt(mutant, most).catch((reason: unknown) => console.error(reason))));
  }
}

interface Flags {
  readonly file?: readonly string[];
  readonly limit?: number;
  readonly seed: string;
  readonly jobs: number;
}

async function main(): Promise<void> {
  const program = createProgram("mutate", "try mutants of the contracts against the contract tests")
    .option(
      "--file <path>",
      "this contract only; repeat it",
      repeatable((path: string, all: readonly string[] = []) => [...all, path]),
    )
    .option("--limit <n>", "a sample of so many", positiveInteger)
    .option("--seed <text>", "of the sample", "1")
    .option("--jobs <n>", "so many at a time", positiveInteger, 2);
  const values = (await program.parseAsync()).opts<Flags>();
  const sources = readSources(ROOT);
  const all = codeOf(sources);
  const files = values.file ?? all;
  const unknown = files.find((file) => !all.includes(file));
  if (unknown !== undefined)
    throw new VerisumError("USAGE", `${unknown} is none of the mutated contracts: ${all.join(", ")}`);
  const contracts = digestOfContracts(sources);
  const mutated = withMutants(sources, findMutants(sources, all), ONE_IS_ON);
  const eligible = mutated.mutants.filter(({ file }) => files.includes(file));
  const chosen = sample(eligible, values.limit ?? Infinity, values.seed);
  mkdirSync(OUTPUT, { recursive: true });
  const results = new Results(join(OUTPUT, "results.jsonl"));
  const folder = mkdtempSync(join(tmpdir(), "verisum-mutants-"));
  try {
    makeCopy(ROOT, folder);
    const tests = contractTests(folder);
    const cache = join(OUTPUT, "artifacts");
    const inPool = async <T>(artifacts: string, counts: boolean, use: (pool: TrialPool) => Promise<T>): Promise<T> => {
      const pool = new TrialPool({ folder, artifacts, counts }, values.jobs);
      return use(pool).finally(() => pool.close());
    };
    const counting = withMutants(sources, mutated.mutants, NONE_IS_ON);
    const reach = await inPool(await compileIn(folder, counting.sources, cache), true, (pool) =>
      measureReach(join(OUTPUT, `reach-${contracts}.json`), pool, tests),
    );
    const artifacts = await compileIn(folder, mutated.sources, cache);
    const run = { contracts, tests, reach, results };
    const left = chosen.filter((mutant) => !isKnown(run, mutant));
    console.log(`${mutated.mutants.length} mutants, ${chosen.length} chosen, ${chosen.length - left.length} known`);
    if (left.length > 0) await inPool(artifacts, false, (pool) => tryAll(run, pool, left));
    const known = eligible.flatMap((mutant) => (isKnown(run, mutant) ? [results.get(idOf(mutant, contracts))!] : []));
    const summary = summaryOf(known, countByFile(eligible));
    const report = reportOf(summary);
    writeFileSync(join(OUTPUT, "report.md"), report);
    if (known.length === mutated.mutants.length) writeFileSync(PAGE_DATA, `${JSON.stringify(summary, undefined, 2)}\n`);
    console.log(`\n${report}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function countByFile(mutants: readonly PlacedMutant[]): ReadonlyMap<string, number> {
  const files = [...new Set(mutants.map(({ file }) => file))];
  return new Map(files.map((name) => [name, mutants.filter(({ file }) => file === name).length]));
}

/** Whether a result holds, and for a survivor also: whether no further file reaches it. */
function isKnown(run: Run, mutant: PlacedMutant): boolean {
  const result = run.results.get(idOf(mutant, run.contracts));
  if (result === undefined || !stillHolds(result, run.tests)) return false;
  if (result.outcome !== "survived") return true;
  return [...run.reach].every(([file, { reached }]) => !reached.includes(mutant.number) || file in result.tests);
}

await main();
