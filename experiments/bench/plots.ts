/** The benchmark's plots. */
import { renderChart } from "./chart.ts";
import type { Chart, Point, Series } from "./chart.ts";
import type { BenchRow } from "./rows.ts";
import { entriesByClients, entriesBySize } from "./tables.ts";
import type { BenchEntry } from "./tables.ts";

export interface Plot {
  readonly name: string;
  readonly title: string;
  readonly svg: string;
  /** What must be said beside the picture. */
  readonly note?: string;
}

/** Client computation as its authors published it, on their hardware, each for its own protocol and check. Seconds. */
const PUBLISHED: readonly Series[] = [
  {
    name: "RiseFL (published)",
    points: [
      { x: 10_000, y: 3.1 },
      { x: 100_000, y: 20.9 },
    ],
    loose: true,
  },
  { name: "RoFL (published)", points: [{ x: 131_000, y: 49 }], loose: true },
  { name: "ACORN (published, below)", points: [{ x: 250_000, y: 80 }], loose: true },
];

const DIMENSION = { label: "model parameters d", scale: "log" } as const;
/** One step of a log axis has no length. */
const MIN_POINTS = 2;
const BYTES_PER_FLOAT = 4;

/** Those for which there are enough measurements. */
export function plotsOf(entries: readonly BenchEntry[]): Plot[] {
  const bySize = entriesBySize(entries);
  const byClients = entriesByClients(entries);
  const batches = bySize.filter(({ extras }) => extras.batches.length >= MIN_POINTS);
  return [
    ...(bySize.length >= MIN_POINTS ? sizePlots(bySize.map(({ row }) => row)) : []),
    ...(batches.length > 0 ? [batchPlot(batches)] : []),
    ...(byClients.length >= MIN_POINTS ? [clientsPlot(byClients.map(({ row }) => row))] : []),
  ];
}

function sizePlots(rows: readonly BenchRow[]): Plot[] {
  const against = (valueOf: (row: BenchRow) => number): Point[] => rows.map((row) => ({ x: row.d, y: valueOf(row) }));
  const stage = (name: string, msOf: (client: BenchRow["client"]) => number): Series => ({
    name,
    points: against(({ client }) => Math.max(msOf(client), 0.1) / 1000),
  });
  return [
    plot(
      {
        name: "client-time",
        title: "One client's work after training, by stage",
        description: `Seconds by model size, both logarithmic, from ${span(rows, ({ d }) => d)} parameters. Proving dominates; the total is ${span(rows, ({ client }) => client.totalMs / 1000)} s. Points published for RiseFL, RoFL and ACORN are beside the lines.`,
        x: DIMENSION,
        y: { label: "time, seconds", scale: "log" },
        series: [
          stage("total", ({ totalMs }) => totalMs),
          stage("prove", ({ proveMs }) => proveMs),
          stage("commit", ({ commitMs }) => commitMs),
          stage("open", ({ openMs }) => openMs),
          stage("share", ({ shareMs }) => shareMs),
          stage("encrypt", ({ encryptMs }) => encryptMs),
          stage("pack", ({ packMs }) => packMs),
          stage("noise (not in total)", ({ noiseMs }) => noiseMs),
          ...PUBLISHED,
        ],
      },
      "The points of RiseFL (3.1 s and 20.9 s), RoFL (49 s) and ACORN (below 80 s) are as published by their authors, on their hardware and for their own protocols and checks; they were not measured here.",
    ),
    plot({
      name: "client-memory",
      title: "Peak memory of a client",
      description: `Megabytes by model size on a logarithmic axis: ${span(rows, ({ client }) => client.peakRssMb)} MB.`,
      x: DIMENSION,
      y: { label: "peak resident memory, MB", scale: "linear" },
      series: [{ name: "peak memory", points: against(({ client }) => client.peakRssMb) }],
    }),
    plot({
      name: "bytes",
      title: "What a client sends",
      description: `Bytes by model size, both logarithmic: ${span(rows, ({ bytesPerMember }) => bytesPerMember)} bytes to a member in the mean over seats, less than the update as 32-bit floats would take.`,
      x: DIMENSION,
      y: { label: "bytes", scale: "log" },
      series: [
        { name: "to a member (mean)", points: against(({ bytesPerMember }) => bytesPerMember) },
        { name: "to all members", points: against(({ bytesPerMember, members }) => bytesPerMember * members) },
        { name: "the update as floats", points: against(({ d }) => d * BYTES_PER_FLOAT) },
      ],
    }),
    plot({
      name: "gas-chunks",
      title: "Gas of one submission",
      description: `Gas by the number of chunks, both linear: ${span(rows, ({ gas }) => gas.submit)} gas for ${span(rows, ({ chunks }) => chunks)} chunks.`,
      x: { label: "chunks (proofs) of a submission", scale: "linear" },
      y: { label: "gas for each client", scale: "linear" },
      series: [
        { name: "submit", points: rows.map((row) => ({ x: row.chunks, y: row.gas.submit })) },
        ...batchSeries(rows),
      ],
    }),
  ];
}

function batchSeries(rows: readonly BenchRow[]): Series[] {
  const points = rows.flatMap(({ chunks, gas }) =>
    gas.submitBatched20 === null ? [] : [{ x: chunks, y: gas.submitBatched20 }],
  );
  return points.length === 0 ? [] : [{ name: "in a batch of 20", points }];
}

function batchPlot(entries: readonly BenchEntry[]): Plot {
  const series = entries.map(({ row, extras }) => ({
    name: `d = ${row.d.toLocaleString("en-US")}`,
    points: [
      { x: 1, y: row.gas.submit },
      ...extras.batches.map(({ size, gasPerClient }) => ({ x: size, y: gasPerClient })),
    ],
  }));
  return plot({
    name: "gas-batch",
    title: "Gas of a submission in a batch",
    description:
      "Gas for each client by the number of submissions in one transaction, both linear; a batch of one is a client's own call.",
    x: { label: "submissions in one transaction", scale: "linear" },
    y: { label: "gas for each client", scale: "linear" },
    series,
  });
}

function clientsPlot(rows: readonly BenchRow[]): Plot {
  const against = (valueOf: (row: BenchRow) => number): Point[] =>
    rows.map((row) => ({ x: row.clients, y: valueOf(row) / 1000 }));
  return plot({
    name: "clients",
    title: `Work in a round by its number of clients, d = ${rows[0]!.d.toLocaleString("en-US")}`,
    description: `Seconds by number of clients, both logarithmic, from ${span(rows, ({ clients }) => clients)} clients: only a member's checks grow, in proportion.`,
    x: { label: "clients in the round", scale: "log" },
    y: { label: "time, seconds", scale: "log" },
    series: [
      { name: "a client: submission", points: against(({ client }) => client.totalMs) },
      { name: "a member: all checks", points: against(({ member, clients }) => member.checkMsPerClient * clients) },
      { name: "aggregator: round", points: against(({ aggregator }) => aggregator.roundMs) },
    ],
  });
}

function plot(chart: Chart, note?: string): Plot {
  return { name: chart.name, title: chart.title, svg: renderChart(chart), ...(note === undefined ? {} : { note }) };
}

/** Lowest to highest. */
function span(rows: readonly BenchRow[], valueOf: (row: BenchRow) => number): string {
  const show = (value: number): string => Number(value.toPrecision(3)).toLocaleString("en-US");
  const values = rows.map(valueOf);
  return `${show(Math.min(...values))} to ${show(Math.max(...values))}`;
}
