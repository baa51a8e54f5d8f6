/** What a mutation run found: the score by contract, and the survivors, with the reasons why some cannot be noticed. */
import { reasonFor } from "./explained.ts";
import type { Result } from "./results.ts";

/** Counts of one contract's mutants. */
interface Score {
  readonly contract: string;
  readonly mutants: number;
  /** Noticed by a test that failed. */
  readonly killed: number;
  /** Noticed by tests that did not end. */
  readonly timeout: number;
}

type Survivor = Pick<Result, "file" | "line" | "operator" | "text" | "before">;

/** What is kept of a run. */
export interface Summary {
  readonly scores: readonly Score[];
  /** By file and line. */
  readonly survivors: readonly Survivor[];
}

/** @param found How many mutants each contract has. */
export function summaryOf(results: readonly Result[], found: ReadonlyMap<string, number>): Summary {
  const scores = [...found].map(([contract, mutants]): Score => {
    const own = results.filter(({ file }) => file === contract);
    const count = (outcome: Result["outcome"]): number => own.filter((result) => result.outcome === outcome).length;
    return { contract, mutants, killed: count("killed"), timeout: count("timeout") };
  });
  const survivors = results
    .filter(({ outcome }) => outcome === "survived")
    .map(({ file, line, operator, text, before }): Survivor => ({ file, line, operator, text, before }));
  return { scores, survivors };
}

function sumOf(scores: readonly Score[]): Score {
  const sum = (field: "mutants" | "killed" | "timeout"): number =>
    scores.reduce((total, score) => total + score[field], 0);
  return { contract: "all", mutants: sum("mutants"), killed: sum("killed"), timeout: sum("timeout") };
}

/** A table with a row for each contract and one for all. */
export function scoreTable({ scores, survivors }: Summary): string {
  const row = ({ contract, mutants, killed, timeout }: Score): string => {
    const own = survivors.filter(({ file }) => file === contract || contract === "all");
    const explained = own.filter((survivor) => reasonFor(survivor) !== undefined).length;
    const share = (count: number, of: number): string => (of === 0 ? "" : `${((100 * count) / of).toFixed(1)} %`);
    const noticed = killed + timeout;
    return [
      contract,
      mutants,
      killed,
      timeout,
      explained,
      own.length - explained,
      share(noticed, noticed + own.length),
    ].join(" | ");
  };
  const head = "| contract | mutants | a test fails | tests do not end | explained | no test notices | noticed |";
  const rows = [...scores, ...(scores.length > 1 ? [sumOf(scores)] : [])].map((score) => `| ${row(score)} |`);
  return [head, `|${" --- |".repeat(7)}`, ...rows].join("\n");
}

function describe({ file, line, operator, text }: Survivor): string {
  return `${file}:${line} ${operator}: \`${text.slice(0, 90).replaceAll("`", "'")}\``;
}

/** A table of the explained survivors, one row for each reason. */
export function explainedTable({ survivors }: Summary): string {
  const reasons = [...new Set(survivors.flatMap((survivor) => reasonFor(survivor) ?? []))];
  const rows = reasons.map((reason) => {
    const own = survivors.filter((survivor) => reasonFor(survivor) === reason);
    // A bar would end the cell.
    return `| ${own.map((survivor) => describe(survivor).replaceAll("|", "\\|")).join("<br>")} | ${reason} |`;
  });
  return ["| mutants | why no test can notice them |", "| --- | --- |", ...rows].join("\n");
}

/** The report of a run: scores, then each survivor by file and line, with its reason if it has one. */
export function reportOf(summary: Summary): string {
  const lines = summary.survivors.map((survivor) => {
    const reason = reasonFor(survivor);
    return `- ${describe(survivor)}${reason === undefined ? "" : ` (${reason})`}`;
  });
  return ["# Mutants of the contracts", "", scoreTable(summary), "", ...lines, ""].join("\n");
}
