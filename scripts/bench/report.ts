/** What surrounds the tables: how and where they were measured. */
import { CLIENTS, COMMITTEE } from "./bench-task.ts";
import { CALIBRATION_MULTIPLICATIONS } from "./machine.ts";
import type { Machine } from "./machine.ts";
import { renderMarkdown, renderText, tablesOf } from "./tables.ts";
import type { BenchEntry } from "./tables.ts";

export interface BenchReport {
  readonly machine: Machine;
  readonly repeats: number;
  readonly entries: readonly BenchEntry[];
}

/** For a terminal. */
export function reportText(report: BenchReport): string {
  return [...surroundings(report), "", ...tablesOf(report.entries).map(renderText)].join("\n");
}

/** docs/bench.md. @param command the line that repeats the run */
export function reportMarkdown(report: BenchReport, command: string): string {
  return `${[
    "# Benchmarks",
    "",
    "Written by the benchmark itself:",
    "",
    "```",
    command,
    "```",
    "",
    ...surroundings(report).map((line) => `- ${line}`),
    "",
    ...NOTES.map((line) => `- ${line}`),
    "",
    ...tablesOf(report.entries).map(renderMarkdown),
  ].join("\n").trimEnd()}\n`;
}

function surroundings({ machine, repeats, entries }: BenchReport): string[] {
  const loads = entries.flatMap(({ extras }) => extras.loads);
  const calibrations = entries.map(({ extras }) => extras.calibrationMs.toFixed(0)).join(" / ");
  return [
    `Node ${machine.node}, ${machine.cpuModel}, ${machine.cores} cores, ${machine.memoryGb.toFixed(1)} GB`,
    `medians of ${repeats} submissions after a first one; ${CLIENTS} clients, ${COMMITTEE.size} members (threshold ${COMMITTEE.threshold}), preset ${entries[0]?.row.preset ?? ""}, properly random development keys`,
    `calibration loop, ${CALIBRATION_MULTIPLICATIONS.toLocaleString("en-US")} multiplications in Fr on one thread: ${calibrations} ms`,
    `load average while clients were timed: ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)} on ${machine.cores} cores${entries.some(({ extras }) => extras.busy) ? "; OTHER PROGRAMS WERE RUNNING, wall times are too long" : ""}`,
  ];
}

const NOTES: readonly string[] = [
  "Each size is one complete round on a chain of its own contract: every proof is real and every call is accepted by the contract; then a second round is left to its deadline to measure `advance`.",
  "Training is not timed. A submission's total is the wall time from the float update to the finished call; publishing the bundle and sending the transaction come after it. Updates are normal with a standard deviation of 256 steps.",
  "`noise` and the batched submission are not built; their entries are null in the JSON rows.",
  "A member's check is decryption, hash and evaluation of one client's share. The aggregator's round interpolates the threshold's releases, checks them against the sum of commitments, computes the next model and both digests, and opens the sum; it does not grow with the number of clients.",
  "Peak memory is that of a client process up to the end of its first submission, the proving keys included.",
];
