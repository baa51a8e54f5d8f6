/**
 * Writes what follows from code and measurements: `docs/errors.md`, `docs/bench.md` with its plots, and the figures in
 * `docs/specs.md`, `docs/privacy.md` and `docs/mutants.md`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ERRORS } from "../protocol/errors.ts";
import type { ErrorEntry } from "../protocol/errors/entry.ts";
import { PRESETS } from "../protocol/parameters.ts";
import type { KernelReport } from "../experiments/bench/kernel-report.ts";
import { reportFiles } from "../experiments/bench/report.ts";
import type { BenchReport } from "../experiments/bench/report.ts";
import { privacyPlots, privacyTables } from "../experiments/privacy/report.ts";
import type { PrivacyMeasurements } from "../experiments/privacy/report.ts";
import { coverageTable, missedTable } from "./mutation/coverage.ts";
import type { Coverage } from "./mutation/coverage.ts";
import { explainedTable, scoreTable } from "./mutation/report.ts";
import type { Summary } from "./mutation/report.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
/** Rows of docs/bench.md that docs/specs.md quotes, by how they begin. */
const QUOTED_ROWS = [
  "| prove ",
  "| total |",
  "| processor time",
  "| peak memory",
  "| member: bytes",
  "| member: check",
  "| aggregator: one round",
];

/** Pages by path from the project's root. */
export function generateDocFiles(): Record<string, string> {
  const bench = reportFiles(
    JSON.parse(read("docs/data/bench.json")) as BenchReport,
    JSON.parse(read("docs/data/kernels.json")) as KernelReport,
  );
  return {
    "docs/errors.md": errorsPage(),
    ...bench,
    "docs/specs.md": specsPage(bench["docs/bench.md"]!),
    ...privacyFiles(),
    "docs/mutants.md": mutantsPage(),
  };
}

function mutantsPage(): string {
  const summary = JSON.parse(read("docs/data/mutants.json")) as Summary;
  const coverage = JSON.parse(read("docs/data/coverage.json")) as Coverage;
  return withTables("docs/mutants.md", {
    scores: scoreTable(summary),
    explained: explainedTable(summary),
    coverage: coverageTable(coverage),
    missed: missedTable(coverage),
  });
}

function privacyFiles(): Record<string, string> {
  const rows = (name: string): unknown => JSON.parse(read(`docs/data/privacy-${name}.json`));
  const measurements = {
    clients: rows("client"),
    examples: rows("example"),
    audit: rows("audit"),
    clips: rows("clip"),
    membership: rows("membership"),
    participation: rows("participation"),
  } as PrivacyMeasurements;
  return {
    "docs/privacy.md": withTables("docs/privacy.md", privacyTables(measurements)),
    ...privacyPlots(measurements),
  };
}

/** The page of figures with its tables. */
function specsPage(benchPage: string): string {
  const tables: Readonly<Record<string, string>> = {
    constraints: constraintsTable(),
    gas: gasTable(),
    bench: benchTable(benchPage),
  };
  return withTables("docs/specs.md", tables);
}

/** A page with its tables written anew between their markers. */
function withTables(path: string, tables: Readonly<Record<string, string>>): string {
  return read(path).replaceAll(
    /<!-- (\w+): generated -->\n[^]*?<!-- end -->/g,
    (_, name: string) => `<!-- ${name}: generated -->\n\n${tables[name] ?? ""}\n\n<!-- end -->`,
  );
}

function constraintsTable(): string {
  const counts = JSON.parse(read("test/circuits/constraint-counts.json")) as Record<string, { constraints: number }>;
  const rows = PRESETS.standard.kinds.map(({ name, coordinates }) => [
    `\`${name}\``,
    grouped(coordinates),
    grouped(counts[name]!.constraints),
  ]);
  return table(["circuit", "weights", "constraints"], rows);
}

function gasTable(): string {
  const gas = JSON.parse(read("test/vectors/gas.json")) as Record<string, number>;
  return table(
    ["call", "gas"],
    Object.entries(gas).map(([call, used]) => [call, grouped(used)]),
  );
}

function benchTable(page: string): string {
  // Tables after these have lines of the same names.
  const lines = page.split("\n## Gas")[0]!.split("\n");
  const sizes = lines.find((line) => line.startsWith("| stage |"));
  return [
    sizes?.replace("stage", "ms, unless bytes or MB"),
    lines.find((line) => line.startsWith("| --- |")),
    ...lines.filter((line) => QUOTED_ROWS.some((start) => line.startsWith(start))),
  ].join("\n");
}

function grouped(value: number): string {
  return value.toLocaleString("en-US");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");
}

const ROLES: Readonly<Record<ErrorEntry["role"], string>> = { again: "try again", "sit-out": "sit out", end: "end" };

function errorsPage(): string {
  return `# Errors

Generated from \`protocol/errors/\` and the interfaces in \`contracts/interfaces/\` by \`npm run generate\`.

Every failure that the programs expect ends in one line with a code: \`✗ CODE: what happened\`. The exit status is 0 for success, 1 for a
job that failed, 2 for a chain or content that cannot be reached, 3 for an interruption, 4 for wrong use and 5 for a defect of the program.
With \`--format json\` the code is the field \`code\`. A role that goes on waits and *tries again* at its next look; *sits out*: it takes no
further part in this round and goes on with the next one, or ends if it has no part in a round; *ends*: going on would be useless or harmful.
A node that answers with a code does so with its HTTP status; where the table has none, strangers get \`NODE_FAILED\`, and its log the code.

| code | roles | exit | HTTP | cause | what to do |
| --- | --- | --- | --- | --- | --- |
${Object.entries(ERRORS)
  .map(([code, { role, exit, http, cause, advice }]) =>
    row([`\`${code}\``, ROLES[role], String(exit), String(http ?? ""), cause, advice]),
  )
  .join("\n")}

## Errors of the contracts

\`CHAIN_REVERTED\` carries one of these with its values.

| error | values | meaning |
| --- | --- | --- |
${contractErrors().map(row).join("\n")}
`;
}

/** Name, parameters and documentation of each custom error of the interfaces. */
function contractErrors(): string[][] {
  const source = ["IListChanges", "IVerisum", "ICellGroup"]
    .map((name) => read(`contracts/interfaces/${name}.sol`))
    .join("\n");
  return [...source.matchAll(/((?:^ *\/\/\/.*\n)*) *error (\w+)\((.*)\);/gm)].map(([, comment, name, parameters]) => [
    `\`${name!}\``,
    parameters === "" ? "" : `\`${parameters!}\``,
    meaningOf(comment!) || inWords(name!),
  ]);
}

function meaningOf(comment: string): string {
  return comment
    .replaceAll(/^ *\/\/\/ (@dev |@notice )?/gm, "")
    .replaceAll(/@param (\w+)/g, "`$1`:")
    .replaceAll("\n", " ")
    .trim();
}

/** `VerisumNoRoundKey` as "No round key." */
function inWords(name: string): string {
  const words = name
    .replace(/^(Verisum|CellGroup)/, "")
    .replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return `${words}.`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
