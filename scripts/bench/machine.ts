/** Where a benchmark ran, and a yardstick for its processor. */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { multiply } from "../../protocol/field.ts";
import { FIELD_ORDER } from "../../protocol/parameters.ts";

/** Multiplications of the calibration loop. */
export const CALIBRATION_MULTIPLICATIONS = 1_000_000;

export interface Machine {
  readonly node: string;
  readonly cpuModel: string;
  readonly cores: number;
  readonly memoryGb: number;
}

export function describeMachine(): Machine {
  return { node: process.version, cpuModel: cpus()[0]?.model.trim() ?? "unknown", cores: availableParallelism(), memoryGb: totalmem() / 1e9 };
}

/** Processes that want to run, averaged over the last minute. Above the number of cores, wall times say little. */
export function loadOfLastMinute(): number {
  return loadavg()[0]!;
}

/** Milliseconds for the fixed number of dependent multiplications in Fr on one thread: compare ratios to it, not seconds. */
export function calibrate(): number {
  const factor = FIELD_ORDER - 3n;
  let value = 2n;
  const started = performance.now();
  for (let i = 0; i < CALIBRATION_MULTIPLICATIONS; i++) value = multiply(value, factor);
  const milliseconds = performance.now() - started;
  if (value === 0n) throw new Error("a product of units is not zero");
  return milliseconds;
}

/** Largest resident memory of this process so far, in MB. Linux counts a parent's memory in `maxRSS`, but not in VmHWM. */
export function peakMemoryMb(): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    if (kilobytes !== undefined) return (Number(kilobytes) * 1024) / 1e6;
  } catch {
    // Not Linux.
  }
  return (process.resourceUsage().maxRSS * 1024) / 1e6;
}
