/** The kernel's times beside ffjavascript's: kept in `docs/data/kernels.json`, shown in docs/bench.md. */
import type { Machine } from "./machine.ts";
import type { TableText } from "./tables.ts";

/** One piece of work, done by both. */
export interface KernelRow {
  readonly work: string;
  readonly items: number;
  /** Nanoseconds an item, of the fastest repeat. */
  readonly kernelNs: number;
  readonly engineNs: number;
}

export interface KernelReport {
  /** The line that repeats the run. */
  readonly command: string;
  readonly machine: Machine;
  /** Load average of the minute before. */
  readonly load: number;
  readonly rows: readonly KernelRow[];
}

/** How and where the rows were measured. */
export function kernelSurroundings({ command, machine, load }: KernelReport): string {
  return `The kernel's times are from a run of its own, \`${command}\`: Node ${machine.node}, ${machine.cpuModel}, ${machine.cores} cores, load average of the minute before it ${load.toFixed(1)}. Both do the same work in turn, and the fastest of the repeats counts: processor time for one thread, the clock for all cores.`;
}

/** @returns a line for each piece of work */
export function kernelTable({ rows }: KernelReport): TableText {
  const group = (value: number): string => value.toLocaleString("en-US");
  return {
    title: "The project's kernel beside ffjavascript (ns an item)",
    header: ["work", "items", "kernel", "ffjavascript", "ratio"],
    lines: rows.map(({ work, items, kernelNs, engineNs }) => [
      work,
      group(items),
      group(Math.round(kernelNs)),
      group(Math.round(engineNs)),
      (engineNs / kernelNs).toFixed(1),
    ]),
  };
}
