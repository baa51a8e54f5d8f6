/** Counts of what was reached, by contract. */
import type { PlacedMutant } from "./schemata.ts";

/** Counts of one contract. */
interface Covered {
  readonly contract: string;
  readonly lines: number;
  /** Lines of which every statement that begins there was reached. */
  readonly linesReached: number;
  /** Two for each simple condition. */
  readonly branches: number;
  readonly branchesReached: number;
}

type Missed = Pick<PlacedMutant, "file" | "line" | "operator" | "text">;

/** What is kept of a run. */
export interface Coverage {
  readonly contracts: readonly Covered[];
  readonly missed: readonly Missed[];
}

/** @param reached Numbers of the points that some test reached. */
export function coverageOf(points: readonly PlacedMutant[], reached: ReadonlySet<number>): Coverage {
  const missed = points.filter(({ number }) => !reached.has(number));
  const contracts = [...new Set(points.map(({ file }) => file))].map((contract): Covered => {
    const lines = linesOf(points, contract).size;
    const branches = branchesOf(points, contract);
    return {
      contract,
      lines,
      linesReached: lines - linesOf(missed, contract).size,
      branches,
      branchesReached: branches - branchesOf(missed, contract),
    };
  });
  const facts = missed.map(({ file, line, operator, text }): Missed => ({ file, line, operator, text }));
  return { contracts, missed: facts };
}

function linesOf(points: readonly PlacedMutant[], contract: string): ReadonlySet<number> {
  const own = points.filter(({ file, operator }) => file === contract && operator === "statement");
  return new Set(own.map(({ line }) => line));
}

function branchesOf(points: readonly PlacedMutant[], contract: string): number {
  return points.filter(({ file, operator }) => file === contract && operator !== "statement").length;
}

/** A table with a row for each contract and one for all. */
export function coverageTable({ contracts }: Coverage): string {
  const sum = (field: Exclude<keyof Covered, "contract">): number =>
    contracts.reduce((total, covered) => total + covered[field], 0);
  const all: Covered = {
    contract: "all",
    lines: sum("lines"),
    linesReached: sum("linesReached"),
    branches: sum("branches"),
    branchesReached: sum("branchesReached"),
  };
  const share = (count: number, of: number): string => (of === 0 ? "" : `${((100 * count) / of).toFixed(1)} %`);
  const rows = [...contracts, all].map(
    ({ contract, lines, linesReached, branches, branchesReached }) =>
      `| ${contract} | ${linesReached} of ${lines} | ${share(linesReached, lines)} | ${branchesReached} of ${branches} | ${share(branchesReached, branches)} |`,
  );
  return ["| contract | lines | | branches | |", `|${" --- |".repeat(5)}`, ...rows].join("\n");
}

/** A table of what no test reached, one row for each place. */
export function missedTable({ missed }: Coverage): string {
  const rows = missed.map(({ file, line, operator, text }) => {
    // A bar would end the cell.
    const quoted = text.slice(0, 90).replaceAll("`", "'").replaceAll("|", "\\|");
    return `| ${file}:${line} | ${operator === "statement" ? "not run" : `never ${operator}`} | \`${quoted}\` |`;
  });
  return ["| place | | text |", `|${" --- |".repeat(3)}`, ...rows].join("\n");
}
