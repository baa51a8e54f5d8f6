/** A whole run as it is kept and shown: how and where it was measured, its tables and its plots. */
import { CALIBRATION_MULTIPLICATIONS, CALIBRATION_TERMS } from "./calibration.ts";
import { kernelSurroundings, kernelTable } from "./kernel-report.ts";
import type { KernelReport } from "./kernel-report.ts";
import type { Machine } from "./machine.ts";
import { plotsOf } from "./plots.ts";
import { renderMarkdown, renderText, tablesOf } from "./tables.ts";
import type { BenchEntry, TableText } from "./tables.ts";
import type { TrainingRow } from "./training.ts";

/** Kept as JSON in `docs/data/bench.json`; everything in docs about a run follows from it. */
export interface BenchReport {
  /** The line that repeats the run. */
  readonly command: string;
  readonly machine: Machine;
  readonly repeats: number;
  readonly entries: readonly BenchEntry[];
  /** Empty if training was not measured. */
  readonly training: readonly TrainingRow[];
}

/** For a terminal. */
export function reportText(report: BenchReport): string {
  return [...surroundings(report), "", ...allTables(report).map(renderText)].join("\n");
}

/** Pages and plots by path from the project's root. */
export function reportFiles(report: BenchReport, kernels: KernelReport): Record<string, string> {
  const plots = plotsOf(report.entries);
  const page = [
    "# Benchmarks",
    "",
    "Written by the benchmark itself:",
    "",
    "```",
    report.command,
    "```",
    "",
    ...surroundings(report).map((line) => `- ${line}`),
    "",
    ...[...NOTES, kernelSurroundings(kernels)].map((line) => `- ${line}`),
    "",
    ...plots.flatMap(({ name, title, note }) => [
      `![${title}](plots/${name}.svg)`,
      "",
      ...(note === undefined ? [] : [note, ""]),
    ]),
    ...[...allTables(report), kernelTable(kernels)].map(renderMarkdown),
  ];
  return {
    "docs/bench.md": `${page.join("\n").trimEnd()}\n`,
    ...Object.fromEntries(plots.map(({ name, svg }) => [`docs/plots/${name}.svg`, svg])),
  };
}

function allTables({ entries, training }: BenchReport): TableText[] {
  return training.length === 0 ? tablesOf(entries) : [...tablesOf(entries), trainingTable(training)];
}

function trainingTable(rows: readonly TrainingRow[]): TableText {
  const group = (value: number): string => value.toLocaleString("en-US");
  return {
    title: "Training: samples a second of processor time, one thread",
    header: ["model, backend", "parameters", "training", "inference", "private training", "plain / private"],
    lines: rows.map(
      ({ model, backend, parameters, samplesPerSecond, inferencePerSecond, privateSamplesPerSecond, privateCost }) => [
        `${model}, ${backend}`,
        group(parameters),
        group(samplesPerSecond),
        group(inferencePerSecond),
        group(privateSamplesPerSecond),
        String(privateCost),
      ],
    ),
  };
}

function surroundings({ machine, repeats, entries }: BenchReport): string[] {
  const loads = entries.flatMap(({ extras }) => extras.loads);
  const first = entries[0]?.row;
  const field = entries.map(({ extras }) => extras.calibration.fieldMs.toFixed(0)).join(" / ");
  const points = entries.map(({ extras }) => extras.calibration.pointsMs.toFixed(0)).join(" / ");
  return [
    `Node ${machine.node}, ${machine.cpuModel}, ${machine.cores} cores, ${machine.memoryGb.toFixed(1)} GB`,
    `medians of at least ${repeats} submissions after a first one; ${first?.clients ?? 0} clients unless stated, ${first?.members ?? 0} members, preset ${first?.preset ?? ""}, properly random development keys`,
    `yardsticks: ${CALIBRATION_MULTIPLICATIONS.toLocaleString("en-US")} multiplications in Fr on one thread, ${field} ms; one multi-exponentiation of ${CALIBRATION_TERMS.toLocaleString("en-US")} terms in G1 by ffjavascript on all threads, ${points} ms`,
    `load average while clients were timed: ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)} on ${machine.cores} cores${entries.some(({ extras }) => extras.busy) ? "; OTHER PROGRAMS WERE RUNNING, wall times are too long" : ""}`,
  ];
}

const NOTES: readonly string[] = [
  "Each line of a table is one complete round on a chain of its own contract: every proof is real and every call is accepted by the contract; then a second round is left to its deadline to measure `abort`.",
  "Training is not timed. A submission's total is the wall time from the float update to the finished call; publishing the bundle and sending the transaction come after it. Updates are normal with a standard deviation of 256 steps.",
  "Noise is one discrete Gaussian for each coordinate, drawn by the protocol's sampler for long vectors and added. It is not part of the total: only a task with client-level privacy has it.",
  "A batch holds the real submissions of 20 different clients, relayed in one transaction. It is not measured where 20 submissions exceed what one transaction may spend (EIP-7825) or hold more than 64 proofs; the plot then has the smaller batches.",
  "A member's check is decryption, hash and evaluation of one client's share. The aggregator's round interpolates the threshold's releases, checks them against the sum of commitments, computes the next model and both digests, and opens the sum; it does not grow with the number of clients.",
  "Peak memory is that of a client process up to the end of its first submission, the proving keys included.",
];
