/** Which test files reach which mutants: one run of each file without a mutant, in contracts that count. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { TrialPool } from "./pool.ts";

/** What one test file reaches, and how long it takes. */
export interface Reach {
  /** Of the file's text and of what it imports. */
  readonly digest: string;
  /** Of the processor, in a process that has loaded what tests use. */
  readonly seconds: number;
  readonly reached: readonly number[];
}

/** By test file. */
export type ReachMap = ReadonlyMap<string, Reach>;

/**
 * Runs each file that changed since it was measured.
 * @param path Where what is known is kept; it belongs to these contracts.
 * @throws Error if tests fail without a mutant
 */
export async function measureReach(
  path: string,
  pool: TrialPool,
  tests: ReadonlyMap<string, string>,
): Promise<ReachMap> {
  const known = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Record<string, Reach>) : {};
  const measured = await Promise.all(
    [...tests].map(async ([file, digest]): Promise<[string, Reach]> => {
      const before = known[file];
      if (before?.digest === digest) return [file, before];
      known[file] = await measure(pool, file, digest);
      writeFileSync(path, JSON.stringify(known));
      return [file, known[file]];
    }),
  );
  return new Map(measured);
}

async function measure(pool: TrialPool, file: string, digest: string): Promise<Reach> {
  const report = await pool.run(() => ({ mutant: 0, files: [file], limitSeconds: 1200 }));
  if (report === undefined || report.failure !== undefined)
    throw new Error(`${file} fails without a mutant: ${JSON.stringify(report?.failure)}`);
  const { passed, reached, seconds } = report;
  console.log(`${file}: ${passed} tests reach ${reached.length} mutants in ${seconds.toFixed(1)} s`);
  return { digest, seconds, reached };
}
