/** Where a benchmark ran. */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";

export interface Machine {
  readonly node: string;
  readonly cpuModel: string;
  readonly cores: number;
  readonly memoryGb: number;
}

export function describeMachine(): Machine {
  return {
    node: process.version,
    cpuModel: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGb: totalmem() / 1e9,
  };
}

/** Processes that want to run, averaged over the last minute. Above the number of cores, wall times say little. */
export function loadOfLastMinute(): number {
  return loadavg()[0]!;
}

/**
 * Largest resident memory of this process so far, in MB. Linux counts a parent's memory in `maxRSS`, but not in VmHWM.
 */
export function peakMemoryMb(): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    if (kilobytes !== undefined) return (Number(kilobytes) * 1024) / 1e6;
  } catch {
    // Not Linux.
  }
  return (process.resourceUsage().maxRSS * 1024) / 1e6;
}
