/** Peak memory of other processes, while they run. */
import { readFileSync } from "node:fs";

const SAMPLE_MS = 250;

/**
 * Looks at each process's high-water mark until it ends or the watch is stopped. Linux only: elsewhere it knows
 * nothing.
 */
export class MemoryWatch {
  readonly #pids = new Map<string, number>();
  readonly #peaksMb = new Map<string, number>();
  readonly #timer = setInterval(() => this.#sample(), SAMPLE_MS);

  watch(name: string, pid: number | undefined): void {
    if (pid !== undefined) this.#pids.set(name, pid);
  }

  /** Megabytes by name, of the processes that could be looked at. */
  stop(): Record<string, number> {
    clearInterval(this.#timer);
    this.#sample();
    return Object.fromEntries([...this.#peaksMb].map(([name, megabytes]) => [name, Math.round(megabytes)]));
  }

  #sample(): void {
    for (const [name, pid] of this.#pids) {
      const peak = peakOf(pid);
      if (peak !== undefined) this.#peaksMb.set(name, Math.max(peak, this.#peaksMb.get(name) ?? 0));
    }
  }
}

/** VmHWM in MB; undefined once the process has ended. */
function peakOf(pid: number): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? undefined : (Number(kilobytes) * 1024) / 1e6;
  } catch {
    return undefined;
  }
}
