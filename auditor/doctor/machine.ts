/** Checks of the machine: Node, its clock, what free space is left. */
import { formatBytes } from "../../content/listing.ts";
import { failed, ok, warning } from "./check.ts";
import type { Finding } from "./check.ts";

/** Clocks have to be right to within this (docs/running.md, Several machines). */
const CLOCK_SECONDS = 60;
/** Blocks without a new one after which a chain, or this clock's distance to it, is doubtful. */
const LATE_BLOCKS = 20;
/** Less than this is too little for any role: key files alone take up to 108 MB. */
const LEAST_FREE_BYTES = 256 * 2 ** 20;
/** Rounds that there should be space and funds for where a task has no end. */
export const ROUNDS_AHEAD = 100;

/** @param version as `process.versions.node`. @param required as `>=22.18` in package.json */
export function nodeVersion(version: string, required: string): Finding {
  const least = required.replace(/^>=\s*/, "");
  const value = `Node ${version}`;
  if (isAtLeast(version, least)) return ok(value);
  const remedy = `Install Node ${least} or later, or start through npm run, which brings its own.`;
  return failed(value, `Verisum needs ${least} or later`, remedy);
}

function isAtLeast(version: string, least: string): boolean {
  const numbers = (text: string): number[] => text.replace(/^v/, "").split(".").map(Number);
  const [own, wanted] = [numbers(version), numbers(least)];
  const first = wanted.findIndex((number, i) => number !== (own[i] ?? 0));
  return first === -1 || (own[first] ?? 0) > wanted[first]!;
}

/** The chain's latest block and this machine's clock. */
export interface ClockReading {
  /** Unix seconds of this machine. */
  readonly now: number;
  /** Unix seconds of the latest block. */
  readonly head: number;
  /** 0 for a chain that makes blocks on demand. */
  readonly secondsPerBlock: number;
}

/** A block of the future shows a clock that is behind; an old one may have either of two causes. */
export function clockAgainstHead({ now, head, secondsPerBlock }: ClockReading): Finding {
  const ahead = Math.round(head - now);
  const value =
    ahead > 0 ? `the latest block is ${ahead} s ahead of this clock` : `the latest block is ${-ahead} s old`;
  const onDemand = secondsPerBlock === 0;
  const synchronise = "Synchronise the clock, for instance with: timedatectl set-ntp true.";
  if (ahead > CLOCK_SECONDS) {
    const cause = "signatures of uploads carry the time, and others refuse those of another minute";
    if (!onDemand) return failed(value, `this machine's clock is behind: ${cause}`, synchronise);
    return warning(value, "the development chain's time was moved, or this clock is behind", synchronise);
  }
  if (onDemand || -ahead <= Math.max(CLOCK_SECONDS, LATE_BLOCKS * secondsPerBlock)) return ok(value);
  const cause = `a block came every ${secondsPerBlock.toFixed(1)} s: this clock is ahead, or the endpoint has stopped following its chain`;
  return warning(value, cause, `${synchronise} If it is right, name another endpoint with --rpc.`);
}

/** Free space where a role keeps its files. */
export interface DiskReading {
  readonly path: string;
  readonly freeBytes: number;
}

const FREE_SOME = "Free some space, or name a folder on another disk with --state or --store.";

export function freeDisk({ path, freeBytes }: DiskReading): Finding {
  const value = `${formatBytes(freeBytes)} free at ${path}`;
  if (freeBytes >= LEAST_FREE_BYTES) return ok(value);
  return failed(value, `a role needs ${formatBytes(LEAST_FREE_BYTES)} at least, for keys and content`, FREE_SOME);
}

/** What a task's rounds need of a disk. */
export interface RoundGrowth {
  /** Bytes that stay of each round. */
  readonly perRoundBytes: number;
  /** Most bytes of share bundles and sums that are kept at once. */
  readonly transientBytes: number;
  /** Undefined for a task without an end. */
  readonly roundsLeft: number | undefined;
}

export function roomForRounds({ freeBytes }: DiskReading, growth: RoundGrowth): Finding {
  const { perRoundBytes, transientBytes, roundsLeft } = growth;
  const rounds = Math.floor(Math.max(0, freeBytes - transientBytes - LEAST_FREE_BYTES) / perRoundBytes);
  const value = `a round leaves ${formatBytes(perRoundBytes)}, and up to ${formatBytes(transientBytes)} of the latest ones are kept: there is room for ${rounds.toLocaleString("en")} rounds`;
  if (rounds >= (roundsLeft ?? ROUNDS_AHEAD)) return ok(value);
  const cause = roundsLeft === undefined ? "the task has no end" : `${roundsLeft} rounds are to come`;
  return rounds === 0 ? failed(value, cause, FREE_SOME) : warning(value, cause, FREE_SOME);
}
