/** The benchmark's tables, and their two forms: a terminal's and Markdown. */
import Table from "cli-table3";
import { CONTRACT_FUNCTIONS } from "./gas-meter.ts";
import type { GasByFunction } from "./gas-meter.ts";
import type { BenchExtras, BenchRow } from "./rows.ts";
import { verdictsOf } from "./targets.ts";

const NOT_BUILT = "not built";

/** One measured model size. */
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

export function tablesOf(entries: readonly BenchEntry[]): TableText[] {
  const sizes = entries.map(({ row }) => `d = ${group(row.d)}`);
  return [clientTable(entries, sizes), othersTable(entries, sizes), gasTable(entries, sizes), targetTable(entries)];
}

function clientTable(entries: readonly BenchEntry[], sizes: readonly string[]): TableText {
  const line = (name: string, cell: (entry: BenchEntry) => string): string[] => [name, ...entries.map(cell)];
  return {
    title: "Client, after training (ms, one submission)",
    header: ["stage", ...sizes],
    lines: [
      line("chunks", ({ row }) => String(row.chunks)),
      line("pack (clip, round, pack)", ({ row }) => ms(row.client.packMs)),
      line("noise", ({ row }) => ms(row.client.noiseMs)),
      line("commit", ({ row }) => ms(row.client.commitMs)),
      line("share (and hash)", ({ row }) => ms(row.client.shareMs)),
      line("encrypt (and CID)", ({ row }) => ms(row.client.encryptMs)),
      line("prove (D, witness, proof)", ({ row }) => ms(row.client.proveMs)),
      line("open", ({ row }) => ms(row.client.openMs)),
      line("total", ({ row }) => ms(row.client.totalMs)),
      line("total, fastest", ({ extras }) => ms(extras.fastestTotalMs)),
      line("processor time, all threads", ({ extras }) => ms(extras.processorMs)),
      line("first submission of a process, with keys", ({ extras }) => ms(extras.firstTotalMs)),
      line("total / calibration loop", ({ row, extras }) => (row.client.totalMs / extras.calibrationMs).toFixed(2)),
      line("peak memory, MB", ({ row }) => group(row.client.peakRssMb)),
    ],
  };
}

function othersTable(entries: readonly BenchEntry[], sizes: readonly string[]): TableText {
  return {
    title: "Committee and aggregator",
    header: ["", ...sizes],
    lines: [
      ["member: bytes for each client", ...entries.map(({ row }) => group(row.bytesPerMember))],
      ["member: check one client, ms", ...entries.map(({ row }) => ms(row.member.checkMsPerClient))],
      ["aggregator: one round, ms", ...entries.map(({ row }) => ms(row.aggregator.roundMs))],
    ],
  };
}

function gasTable(entries: readonly BenchEntry[], sizes: readonly string[]): TableText {
  return {
    title: "Gas, the dearest call in a task's first round",
    header: ["function", ...sizes],
    lines: [...CONTRACT_FUNCTIONS.map((name) => [name, ...entries.map(({ gas }) => group(gas[name]))]), ["submit in a batch of 20", ...entries.map(({ row }) => row.gas.submitBatched20 === null ? NOT_BUILT : group(row.gas.submitBatched20))]],
  };
}

function targetTable(entries: readonly BenchEntry[]): TableText {
  return {
    title: "Against the first version's targets (docs/protocol.md)",
    header: ["", "measured", "limit", ""],
    lines: entries.flatMap(({ row, extras }) =>
      verdictsOf(row).map(({ what, unit, measured, limit, met }) => {
        const excuse = unit === "ms" && extras.busy ? " (busy machine)" : "";
        return [`d = ${group(row.d)}: ${what}, ${unit}`, group(Math.round(measured)), group(limit), met ? "met" : `not met${excuse}`];
      }),
    ),
  };
}

/** For a terminal. */
export function renderText({ title, header, lines }: TableText): string {
  const table = new Table({ head: [...header], colAligns: header.map((_, i) => (i === 0 ? "left" : "right")), style: { head: [], border: [] } });
  table.push(...lines.map((line) => [...line]));
  return `${title}\n${table.toString()}\n`;
}

export function renderMarkdown({ title, header, lines }: TableText): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [`## ${title}`, "", row(header), row(header.map((_, i) => (i === 0 ? "---" : "---:"))), ...lines.map(row), ""].join("\n");
}

function ms(value: number | null): string {
  return value === null ? NOT_BUILT : group(Number(value.toFixed(value < 100 ? 1 : 0)));
}

function group(value: number): string {
  return value.toLocaleString("en-US");
}
