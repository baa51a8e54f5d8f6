/**
 * What each of a task's windows needs, of the chain and of its clients, and the number of seconds that would do. Pure:
 * the chain is measured by chain/timing.ts, a client measures itself (client/work-times.ts).
 */
import { CHUNKS_PER_TRANSACTION } from "../chain/large-submission.ts";
import type { ChainTiming } from "../chain/timing.ts";
import type { TaskParameters } from "../protocol/task.ts";

/**
 * Ethereum's: a block every 12 s. With the `finalized` tag a block is final after 770 to 1,150 s, the longer the
 * earlier it lies in its epoch.
 */
export const ETHEREUM_TIMING: ChainTiming = { secondsPerBlock: 12, finalitySeconds: 1150 };

/** What is advised beside what is needed: finality varies by a half, blocks are missed, roles look once in a while. */
const MARGIN = 1.5;
/** Advised numbers are multiples of this many seconds. */
const ROUNDED_TO_SECONDS = 10;

/**
 * The key window is not among them: a round opens without a seat that has no key in time, as long as a quorum has one.
 */
export type WindowName = "collect" | "attest" | "aggregate";

type Windows = Pick<TaskParameters, "collectSeconds" | "attestSeconds" | "aggregateSeconds" | "chunkKinds">;

/** What a client needed in a round, in seconds. */
export interface ClientWork {
  readonly trainingSeconds: number;
  /** Committing, sealing the shares and proving; and waiting for the audit where that took longer than training. */
  readonly provingSeconds: number;
  /** Until others held copies of the shares. */
  readonly replicatingSeconds: number;
}

/** What one window needs. */
interface Need {
  readonly window: WindowName;
  /** What the task has. */
  readonly seconds: number;
  /** Less than this cannot do; Infinity if nothing does while no block is final. */
  readonly neededSeconds: number;
  readonly why: string;
}

/** A window that is too short. */
export interface ShortWindow extends Need {
  /** The number that would do. */
  readonly advisedSeconds: number;
  /** All of this in one sentence. */
  readonly text: string;
}

/**
 * Windows in which a round cannot do what it has to. A round that attests or aggregates too slowly aborts; one that
 * collects too slowly goes on without the client.
 * @param work of one client; without it `collect` is held to the chain's blocks only
 */
export function shortWindows(windows: Windows, timing: ChainTiming, work?: ClientWork): readonly ShortWindow[] {
  return needsOf(windows, timing, work)
    .filter(({ seconds, neededSeconds }) => seconds < neededSeconds)
    .map((need) => {
      const advisedSeconds = advised(need.neededSeconds);
      return { ...need, advisedSeconds, text: textOf(need, advisedSeconds) };
    });
}

/** The chain's measured times, in one line. */
export function timingLine({ secondsPerBlock, finalitySeconds }: ChainTiming): string {
  const final = Number.isFinite(finalitySeconds)
    ? `a block is final after ${inSeconds(finalitySeconds)}`
    : "no block is final yet";
  return secondsPerBlock === 0
    ? `blocks come on demand; ${final}`
    : `a block every ${inSeconds(secondsPerBlock)}; ${final}`;
}

function needsOf(
  windows: Windows,
  { secondsPerBlock, finalitySeconds }: ChainTiming,
  work?: ClientWork,
): readonly Need[] {
  const transactions = transactionsOf(windows);
  const blocks = (count: number): number => count * secondsPerBlock;
  const { trainingSeconds = 0, provingSeconds = 0, replicatingSeconds = 0 } = work ?? {};
  const own = `training takes ${inSeconds(trainingSeconds)}, proving ${inSeconds(provingSeconds)}, copying the shares to others ${inSeconds(replicatingSeconds)}, and `;
  return [
    {
      ...{ window: "collect", seconds: windows.collectSeconds },
      neededSeconds: trainingSeconds + provingSeconds + replicatingSeconds + blocks(transactions),
      why: `${work === undefined ? "" : own}${transactions === 1 ? "the block with the submission takes" : `the ${transactions} blocks with the submission take`} ${inSeconds(blocks(transactions))}`,
    },
    {
      ...{ window: "attest", seconds: windows.attestSeconds, neededSeconds: blocks(1) },
      why: `the block with the settlement takes ${inSeconds(blocks(1))}`,
    },
    {
      ...{ window: "aggregate", seconds: windows.aggregateSeconds, neededSeconds: finalitySeconds + blocks(1) },
      why: Number.isFinite(finalitySeconds)
        ? `a settlement is final after ${inSeconds(finalitySeconds)}, and the block with the result takes ${inSeconds(blocks(1))}`
        : "the chain calls no block final: members release nothing (--confirmations counts blocks instead)",
    },
  ];
}

function textOf({ window, seconds, why }: Need, advisedSeconds: number): string {
  const remedy = Number.isFinite(advisedSeconds) ? `: ${advisedSeconds} would do` : "";
  return `windowSeconds.${window} is ${seconds}, and ${why}${remedy}`;
}

/** Transactions that a submission takes, one after the other. */
function transactionsOf({ chunkKinds }: Windows): number {
  return chunkKinds.length <= CHUNKS_PER_TRANSACTION ? 1 : Math.ceil(chunkKinds.length / CHUNKS_PER_TRANSACTION) + 1;
}

function advised(neededSeconds: number): number {
  return Math.ceil((neededSeconds * MARGIN) / ROUNDED_TO_SECONDS) * ROUNDED_TO_SECONDS;
}

/** To two digits below ten, or to the second. */
function inSeconds(seconds: number): string {
  return `${seconds < 10 ? Number(seconds.toPrecision(2)) : Math.ceil(seconds).toLocaleString("en")} s`;
}
