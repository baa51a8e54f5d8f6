/** What is known about mutants from earlier runs, and how long it holds. */
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { PlacedMutant, Sources } from "./schemata.ts";

/** How one mutant fared. */
export interface Result {
  /** The contracts that it was tried in, and its place in them. */
  readonly id: string;
  readonly file: string;
  readonly line: number;
  readonly operator: string;
  readonly text: string;
  readonly before: string;
  readonly outcome: "killed" | "survived" | "timeout";
  /** Title and reason of the failure. */
  readonly failure: string;
  /** The test file that noticed, or empty. */
  readonly by: string;
  /** Test files that ran and noticed nothing. */
  readonly missed: readonly string[];
  /** Digests of the test files that decided: the one that noticed, or all that reach it and noticed nothing. */
  readonly tests: Readonly<Record<string, string>>;
  /** Of the processor. */
  readonly seconds: number;
}

/** One digest of all contracts. */
export function digestOfContracts(sources: Sources): string {
  return createHash("sha256").update(JSON.stringify(sources)).digest("hex").slice(0, 16);
}

/** The same for as long as the contracts are. */
export function idOf({ file, line, start, end, operator }: PlacedMutant, contracts: string): string {
  // Both ends: `a + b` and `a + b + c` begin at one place.
  return [contracts, file, line, start, end, operator].join(":");
}

/** Results in a file of lines; the last of a mutant counts. */
export class Results {
  readonly #path: string;
  readonly #byId: Map<string, Result>;

  constructor(path: string) {
    this.#path = path;
    const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];
    this.#byId = new Map(lines.map((line) => JSON.parse(line) as Result).map((result) => [result.id, result]));
  }

  get(id: string): Result | undefined {
    return this.#byId.get(id);
  }

  add(result: Result): void {
    this.#byId.set(result.id, result);
    mkdirSync(dirname(this.#path), { recursive: true });
    appendFileSync(this.#path, `${JSON.stringify(result)}\n`);
  }

  all(): readonly Result[] {
    return [...this.#byId.values()];
  }
}

/** Whether the tests that decided are what they were. What was noticed stays so when tests are added. */
export function stillHolds(result: Result, tests: ReadonlyMap<string, string>): boolean {
  return Object.entries(result.tests).every(([file, digest]) => tests.get(file) === digest);
}
