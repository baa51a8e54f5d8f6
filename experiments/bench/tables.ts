/** The benchmark's tables, and their two forms: a terminal's and Markdown. */
import Table from "cli-table3";
import type { ContractFunction } from "./gas-meter.ts";
import type { GasByFunction } from "./gas-meter.ts";
import { growthExponent } from "./growth.ts";
import type { BenchExtras, BenchRow } from "./rows.ts";
import { RATIO_NAMES } from "./ratios.ts";
import { verdictsOf } from "./targets.ts";

/** One measured round. */
export interface BenchEntry {
  readonly row: BenchRow;
  readonly extras: BenchExtras;
  readonly gas: GasByFunction;
}

export interface TableText {
  readonly title: string;
  readonly header: readonly string[];
  /** The first cell names the line, the others are figures. */
  readonly lines: readonly (readonly string[])[];
}

const NOT_MEASURED = "not measured";
/** Size below which fixed costs hide how a client's time grows. */
const GROWTH_FROM_DIMENSION = 10_000;

/** The rounds that differ in size alone: with as many clients as the first. By size. */
export function entriesBySize(entries: readonly BenchEntry[]): BenchEntry[] {
  return entries.filter(({ row }) => row.clients === entries[0]?.row.clients).sort((a, b) => a.row.d - b.row.d);
}

/** The rounds that differ in the number of clients alone: of the first's size. By number. */
export function entriesByClients(entries: readonly BenchEntry[]): BenchEntry[] {
  return entries.filter(({ row }) => row.d === entries[0]?.row.d).sort((a, b) => a.row.clients - b.row.clients);
}

export function tablesOf(entries: readonly BenchEntry[]): TableText[] {
  const bySize = entriesBySize(entries);
  const byClients = entriesByClients(entries);
  const sizes = bySize.map(({ row }) => `d = ${group(row.d)}`);
  const tables = [clientTable(bySize, sizes), othersTable(bySize, sizes), gasTable(bySize, sizes)];
  if (byClients.length > 1) tables.push(clientsTable(byClients));
  if (bySize.length > 1 || byClients.length > 1) tables.push(growthTable(bySize, byClients));
  return [...tables, ratioTable(bySize, sizes), targetTable(bySize)];
}

function clientTable(entries: readonly BenchEntry[], sizes: readonly string[]): TableText {
  const line = (name: string, cell: (entry: BenchEntry) => string): string[] => [name, ...entries.map(cell)];
  return {
    title: "Client, after training (ms, one submission)",
    header: ["stage", ...sizes],
    lines: [
      line("chunks", ({ row }) => String(row.chunks)),
      line("pack (clip, round, pack)", ({ row }) => ms(row.client.packMs)),
      line("commit", ({ row }) => ms(row.client.commitMs)),
      line("share (and hash)", ({ row }) => ms(row.client.shareMs)),
      line("encrypt (and CID)", ({ row }) => ms(row.client.encryptMs)),
      line("prove (D, witness, proof)", ({ row }) => ms(row.client.proveMs)),
      line("open", ({ row }) => ms(row.client.openMs)),
      line("total", ({ row }) => ms(row.client.totalMs)),
      line("total, fastest", ({ extras }) => ms(extras.fastestTotalMs)),
      line("noise, with client-level privacy (not in the total)", ({ row }) => ms(row.client.noiseMs)),
      line("processor time, all threads", ({ extras }) => ms(extras.processorMs)),
      line("first submission of a process, with keys", ({ extras }) => ms(extras.firstTotalMs)),
      line("peak memory, MB", ({ row }) => group(row.client.peakRssMb)),
    ],
  };
}

function othersTable(entries: readonly BenchEntry[], sizes: readonly string[]): TableText {
  return {
    title: "Audit, committee and aggregator",
    header: ["", ...sizes],
    lines: [
      [
        `client: audit one of ${entries[0]!.row.clients} submissions, processor ms`,
        ...entries.map(({ row: { audit, clients } }) =>
          audit === undefined ? NOT_MEASURED : ms(audit.processorMs / clients),
        ),
      ],
      ["member: bytes for each client (mean over seats)", ...entries.map(({ row }) => group(row.bytesPerMember))],
      ["member: check one client, ms", ...entries.map(({ row }) => ms(row.member.checkMsPerClient))],
      ["aggregator: one round, ms", ...entries.map(({ row }) => ms(row.aggregator.roundMs))],
    ],
  };
}

function gasTable(entries: readonly BenchEntry[], sizes: readonly string[]): TableText {
  return {
    title: "Gas, the dearest call in a task's first round",
    header: ["function", ...sizes],
    lines: [
      ...functionsOf(entries).map((name) => [name, ...entries.map(({ gas }) => group(gas[name]))]),
      [
        "submit, each of a batch of 20",
        ...entries.map(({ row }) => (row.gas.submitBatched20 === null ? NOT_MEASURED : group(row.gas.submitBatched20))),
      ],
    ],
  };
}

/** Those of the run, which may be one of earlier contracts. */
function functionsOf(entries: readonly BenchEntry[]): ContractFunction[] {
  return Object.keys(entries[0]?.gas ?? {}) as ContractFunction[];
}

function clientsTable(entries: readonly BenchEntry[]): TableText {
  const line = (name: string, cell: (entry: BenchEntry) => string): string[] => [name, ...entries.map(cell)];
  return {
    title: `Clients in a round, d = ${group(entries[0]!.row.d)}`,
    header: ["clients", ...entries.map(({ row }) => String(row.clients))],
    lines: [
      line("client: total, ms", ({ row }) => ms(row.client.totalMs)),
      line("client: audit all submissions, processor ms", ({ row: { audit } }) =>
        audit === undefined ? NOT_MEASURED : ms(audit.processorMs),
      ),
      line("member: check all clients, ms", ({ row }) => ms(row.member.checkMsPerClient * row.clients)),
      line("aggregator: one round, ms", ({ row }) => ms(row.aggregator.roundMs)),
      line("submit, gas for each client", ({ row }) => group(row.gas.submit)),
      line("settle, gas for the round", ({ row }) => group(row.gas.settle)),
      line("finalize, gas for the round", ({ row }) => group(row.gas.finalize)),
    ],
  };
}

/** Exponents of power laws; 1 is proportional, 0 is constant. */
function growthTable(bySize: readonly BenchEntry[], byClients: readonly BenchEntry[]): TableText {
  const large = bySize.filter(({ row }) => row.d >= GROWTH_FROM_DIMENSION);
  const line = (
    what: string,
    against: string,
    entries: readonly BenchEntry[],
    x: (row: BenchRow) => number,
    y: (row: BenchRow) => number,
  ): string[] => {
    const exponent = growthExponent(entries.map(({ row }) => ({ x: x(row), y: y(row) })));
    return [what, against, exponent === undefined ? "" : exponent.toFixed(2)];
  };
  const d = (row: BenchRow): number => row.d;
  const n = (row: BenchRow): number => row.clients;
  const from = `d from ${group(GROWTH_FROM_DIMENSION)}`;
  return {
    title: "Growth: the fitted exponent e of c·x^e",
    header: ["what", "against", "exponent"],
    lines: [
      line("client: total", from, large, d, (row) => row.client.totalMs),
      line("client: prove", from, large, d, (row) => row.client.proveMs),
      line("client: commit", from, large, d, (row) => row.client.commitMs),
      line("client: share", from, large, d, (row) => row.client.shareMs),
      line("client: noise", from, large, d, (row) => row.client.noiseMs),
      line("client: peak memory", from, large, d, (row) => row.client.peakRssMb),
      line("member: bytes for each client", from, large, d, (row) => row.bytesPerMember),
      line("member: check one client", from, large, d, (row) => row.member.checkMsPerClient),
      line("aggregator: one round", from, large, d, (row) => row.aggregator.roundMs),
      line(
        "submit: gas",
        "chunks",
        bySize,
        (row) => row.chunks,
        (row) => row.gas.submit,
      ),
      line("client: total", "clients", byClients, n, (row) => row.client.totalMs),
      line("member: check all clients", "clients", byClients, n, (row) => row.member.checkMsPerClient * row.clients),
      line("aggregator: one round", "clients", byClients, n, (row) => row.aggregator.roundMs),
    ].filter(([, , exponent]) => exponent !== ""),
  };
}

function ratioTable(entries: readonly BenchEntry[], sizes: readonly string[]): TableText {
  return {
    title: "Times over a yardstick of the same processor (fastest over fastest)",
    header: ["", ...sizes],
    lines: RATIO_NAMES.map((name) => [name, ...entries.map(({ extras }) => extras.ratios[name].toPrecision(3))]),
  };
}

function targetTable(entries: readonly BenchEntry[]): TableText {
  return {
    title: "Against the targets for two cores",
    header: ["", "measured", "limit", ""],
    lines: entries.flatMap(({ row, extras }) =>
      verdictsOf(row).map(({ what, unit, measured, limit, met }) => {
        const excuse = unit === "ms" && extras.busy ? " (busy machine)" : "";
        return [
          `d = ${group(row.d)}: ${what}, ${unit}`,
          group(Math.round(measured)),
          group(limit),
          met ? "met" : `not met${excuse}`,
        ];
      }),
    ),
  };
}

/** For a terminal. */
export function renderText({ title, header, lines }: TableText): string {
  const table = new Table({
    head: [...header],
    colAligns: header.map((_, i) => (i === 0 ? "left" : "right")),
    style: { head: [], border: [] },
  });
  table.push(...lines.map((line) => [...line]));
  return `${title}\n${table.toString()}\n`;
}

export function renderMarkdown({ title, header, lines }: TableText): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [
    `## ${title}`,
    "",
    row(header),
    row(header.map((_, i) => (i === 0 ? "---" : "---:"))),
    ...lines.map(row),
    "",
  ].join("\n");
}

function ms(value: number): string {
  return group(Number(value.toFixed(value < 100 ? 1 : 0)));
}

function group(value: number): string {
  return value.toLocaleString("en-US");
}
