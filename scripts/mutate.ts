/**
 * Mutants of the contracts, each tried against the contract tests: what survives is what no test notices.
 *
 *   npm run mutate                                   all of contracts/*.sol and contracts/libraries/*.sol
 *   npm run mutate -- --file contracts/Verisum.sol   this file only; may be given several times
 *   npm run mutate -- --limit 50 --seed 7            a sample of 50, drawn with this seed
 *   npm run mutate -- --jobs 2                       so many at a time
 *
 * Mutants are compiled many at once, in a copy of the repository, and switched on one by one. Results are kept in
 * build/mutation for as long as neither contracts nor contract tests change: a run that was stopped goes on.
 */
import { createHash } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import { positiveInteger } from "../command/options.ts";
import { createProgram } from "../command/program.ts";
import { VerisumError } from "../protocol/errors.ts";
import { compileCopy, makeCopy, tryMutant } from "./mutation/copy.ts";
import { idOf, reportOf } from "./mutation/report.ts";
import type { Result } from "./mutation/report.ts";
import { findMutants, withMutants } from "./mutation/schemata.ts";
import type { PlacedMutant, Sources } from "./mutation/schemata.ts";

const ROOT = join(import.meta.dirname, "..");
const OUTPUT = join(ROOT, "build", "mutation");
const RESULTS = join(OUTPUT, "results.jsonl");
/** So many mutants are compiled together: with more a deployment costs more than a transaction may. */
const MOST_TOGETHER = 120;
/** A trial may last so many times as long as the tests without a mutant. */
const PATIENCE = 4;

function readSources(): Sources {
  const files = globSync("contracts/**/*.sol", { cwd: ROOT }).sort();
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(ROOT, file), "latin1")]));
}

/** One digest of all contracts and of everything that their tests consist of. */
function digestOf(sources: Sources): string {
  const hash = createHash("sha256").update(JSON.stringify(sources));
  for (const file of globSync("test/{contracts,support}/**/*.ts", { cwd: ROOT }).sort())
    hash.update(readFileSync(join(ROOT, file)));
  return hash.digest("hex").slice(0, 16);
}

/** The first `limit` in an order that depends on the seed only. */
function sample(mutants: readonly PlacedMutant[], limit: number, seed: string): readonly PlacedMutant[] {
  if (limit >= mutants.length) return mutants;
  const rank = ({ number }: PlacedMutant): string => createHash("sha256").update(`${seed} ${number}`).digest("hex");
  return mutants.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, limit);
}

function readResults(digest: string): Map<string, Result> {
  const lines = existsSync(RESULTS) ? readFileSync(RESULTS, "utf8").split("\n").filter(Boolean) : [];
  const results = lines.map((line) => JSON.parse(line) as Result).filter(({ id }) => id.startsWith(digest));
  return new Map(results.map((result) => [result.id, result]));
}

async function tryAll(folder: string, digest: string, mutants: readonly PlacedMutant[], jobs: number): Promise<void> {
  const control = await tryMutant(folder, 0, 3600);
  if (control.outcome !== "survived") throw new Error(`the tests fail without a mutant: ${control.failure}`);
  const limitSeconds = Math.max(60, PATIENCE * control.seconds);
  const queue = pLimit(jobs);
  await Promise.all(
    mutants.map((mutant) =>
      queue(async () => {
        const trial = await tryMutant(folder, mutant.number, limitSeconds);
        const { file, line, operator, text, before } = mutant;
        const result: Result = { id: idOf(mutant, digest), file, line, operator, text, before, ...trial };
        appendFileSync(RESULTS, `${JSON.stringify(result)}\n`);
        console.log(`${trial.outcome} ${file}:${line} ${operator} (${trial.seconds} s) ${trial.failure}`);
      }),
    ),
  );
}

/** Compiles these mutants in a copy of their own and tries them. */
async function tryTogether(
  sources: Sources,
  digest: string,
  mutants: readonly PlacedMutant[],
  jobs: number,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "verisum-mutants-"));
  try {
    makeCopy(ROOT, folder);
    await compileCopy(folder, withMutants(sources, mutants).sources);
    await tryAll(folder, digest, mutants, jobs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
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
    .option("--file <path>", "this contract only; repeat it", (path: string, all: readonly string[] = []) => [
      ...all,
      path,
    ])
    .option("--limit <n>", "a sample of so many", positiveInteger)
    .option("--seed <text>", "of the sample", "1")
    .option("--jobs <n>", "so many at a time", positiveInteger, 2);
  const values = (await program.parseAsync()).opts<Flags>();
  const sources = readSources();
  const all = Object.keys(sources).filter((file) => /^contracts\/(libraries\/)?\w+\.sol$/.test(file));
  const files = values.file ?? all;
  const unknown = files.find((file) => !all.includes(file));
  if (unknown !== undefined)
    throw new VerisumError("USAGE", `${unknown} is none of the mutated contracts: ${all.join(", ")}`);
  const digest = digestOf(sources);
  const mutated = withMutants(sources, findMutants(sources, files));
  const chosen = sample(mutated.mutants, values.limit ?? Infinity, values.seed);
  mkdirSync(OUTPUT, { recursive: true });
  const known = readResults(digest);
  const left = chosen.filter((mutant) => !known.has(idOf(mutant, digest)));
  console.log(`${mutated.mutants.length} mutants, ${chosen.length} chosen, ${chosen.length - left.length} known`);
  for (let done = 0; done < left.length; done += MOST_TOGETHER)
    await tryTogether(sources, digest, left.slice(done, done + MOST_TOGETHER), values.jobs);
  const results = readResults(digest);
  const ids = mutated.mutants.map((mutant) => idOf(mutant, digest));
  const report = reportOf(
    ids.flatMap((id) => results.get(id) ?? []),
    mutated.mutants.length,
  );
  writeFileSync(join(OUTPUT, "report.md"), report);
  console.log(`\n${report}`);
}

await main();
