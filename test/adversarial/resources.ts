/** What a role's process takes of its machine, and how that grows from round to round. Linux only: reads `/proc`. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

export const RESOURCES = ["memory", "descriptors", "disk"] as const;

export type Resource = (typeof RESOURCES)[number];

/** Memory (resident) and disk (the files of the state directory) in bytes; open descriptors. */
export type Usage = Readonly<Record<Resource, number>>;

/** Over the rounds that count: the first value, the last one, and the growth per round (least squares). */
export interface Trend {
  readonly first: number;
  readonly last: number;
  readonly perRound: number;
}

/** The most that a value may come to, and grow by in a round. */
export interface Bound {
  readonly most: number;
  readonly perRound: number;
}

/** @throws Error of the system if there is no such process */
export async function usageOf(pid: number, stateDirectory: string): Promise<Usage> {
  const [status, descriptors, disk] = await Promise.all([
    readFile(`/proc/${pid}/status`, "utf8"),
    readdir(`/proc/${pid}/fd`),
    bytesIn(stateDirectory),
  ]);
  const kibibytes = /^VmRSS:\s+([0-9]+) kB$/m.exec(status)![1];
  return { memory: 1024 * Number(kibibytes), descriptors: descriptors.length, disk };
}

/** Files may come and go meanwhile. */
async function bytesIn(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        stat(join(entry.parentPath, entry.name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** @param values at least two, one a round */
export function trendOf(values: readonly number[]): Trend {
  const meanRound = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const covariance = values.reduce((sum, value, round) => sum + (round - meanRound) * (value - mean), 0);
  const variance = values.reduce((sum, _, round) => sum + (round - meanRound) ** 2, 0);
  return { first: values[0]!, last: values.at(-1)!, perRound: covariance / variance };
}

/** What is wrong with a trend, in words; undefined if it keeps the bound. */
export function excessOf({ last, perRound }: Trend, bound: Bound): string | undefined {
  if (perRound > bound.perRound)
    return `grows by ${Math.ceil(perRound).toLocaleString("en")} a round, at most ${bound.perRound.toLocaleString("en")}`;
  return last > bound.most
    ? `comes to ${last.toLocaleString("en")}, at most ${bound.most.toLocaleString("en")}`
    : undefined;
}
