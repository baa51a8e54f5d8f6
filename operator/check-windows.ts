/** Whether a task's windows suit the chain that it is for, before anybody pays for finding out. */
import { openEndpoint } from "../chain/rpc.ts";
import type { Endpoint } from "../chain/rpc.ts";
import { finalityDepth, measureTiming } from "../chain/timing.ts";
import type { ChainTiming } from "../chain/timing.ts";
import { VerisumError } from "../protocol/errors.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { TaskWarning } from "../task/warnings.ts";
import { ETHEREUM_TIMING, shortWindows, timingLine } from "../task/windows.ts";

/** The chain that a task is to be deployed on. */
export interface IntendedChain {
  readonly rpc: readonly string[];
  /** Blocks that make a block final; the chain's `finalized` tag if absent. */
  readonly confirmations?: number | undefined;
}

/** What a task's windows are held to. */
export interface AssumedTiming {
  readonly timing: ChainTiming;
  /** False where no chain was named, and Ethereum's times are assumed. */
  readonly measured: boolean;
}

/** Measures the chain that a task is for, if one is named. @throws CHAIN_UNREACHABLE */
export async function timingFor(chain: IntendedChain | undefined): Promise<AssumedTiming> {
  if (chain === undefined) return { timing: ETHEREUM_TIMING, measured: false };
  const { endpoint, chainId } = await openEndpoint(chain.rpc, undefined);
  try {
    const timing = await measureTiming(endpoint, chainId, finalityDepth(chainId, chain.confirmations));
    return { timing, measured: true };
  } finally {
    endpoint.provider.destroy();
  }
}

/** Says what a task's windows are held to. @returns warnings, unless the chain is only assumed */
export function windowWarnings(
  parameters: TaskParameters,
  { timing, measured }: AssumedTiming,
  onStep: (step: string) => void,
): readonly TaskWarning[] {
  const short = shortWindows(parameters, timing).map(({ text }) => text);
  onStep(`${timingLine(timing)} (${measured ? "measured" : "assumed, as on Ethereum with its finalized tag"})`);
  if (measured) return short.map((text) => ({ event: "window-short", text }));
  if (short.length > 0)
    onStep(`there, rounds would abort: ${short.join("; ")}. --rpc measures the chain that the task is for`);
  return [];
}

export interface WindowChoice {
  /** Blocks that make a block final for the task's roles; the chain's `finalized` tag if absent. */
  readonly confirmations?: number | undefined;
  /** Deploys although rounds will abort. */
  readonly acceptShortWindows?: boolean | undefined;
}

/** @throws WINDOWS_TOO_SHORT naming each number that would do, unless the operator takes them as they are */
export async function checkWindows(
  endpoint: Endpoint,
  chainId: bigint,
  parameters: TaskParameters,
  { confirmations, acceptShortWindows }: WindowChoice,
  onStep: (step: string) => void,
): Promise<void> {
  const timing = await measureTiming(endpoint, chainId, finalityDepth(chainId, confirmations));
  const short = shortWindows(parameters, timing);
  onStep(`measured: ${timingLine(timing)}`);
  if (short.length === 0) return;
  const text = short.map((window) => window.text).join("; ");
  if (acceptShortWindows !== true)
    throw new VerisumError("WINDOWS_TOO_SHORT", `rounds would abort on this chain: ${text}`, {
      chainId,
      windows: short.map(({ window, advisedSeconds }) => `${window}=${advisedSeconds}`),
    });
  onStep(`accepted although rounds will abort: ${text}`);
}
