/** Checks of the chain: its endpoints, the task's contract, and how long finality takes. */
import type { ChainTiming } from "../../chain/timing.ts";
import type { RoundState } from "../../chain/task-chain.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import { clientsNeeded } from "../../task/buffers.ts";
import { hasAllRounds } from "../../task/completion.ts";
import { shortWindows, timingLine } from "../../task/windows.ts";
import { failed, ok, warning } from "./check.ts";
import type { Finding, NamedFinding } from "./check.ts";

/** Slower answers make every look at the chain slow. */
const SLOW_MS = 2_000;
/** Blocks that an endpoint may be behind another one. */
const BLOCKS_BEHIND = 5;

/** What one endpoint answered, or why it did not. */
export type EndpointReading =
  | { readonly url: string; readonly chainId: bigint; readonly head: number; readonly latencyMs: number }
  | { readonly url: string; readonly failure: string };

/** One finding for each endpoint. Where another one answers, a dead one is a warning. */
export function endpointsFound(readings: readonly EndpointReading[], expected: bigint | undefined): NamedFinding[] {
  const answering = readings.flatMap((reading) => ("failure" in reading ? [] : [reading]));
  const highest = Math.max(...answering.map(({ head }) => head));
  const chainId = expected ?? answering[0]?.chainId;
  return readings.map((reading) => ({ check: "chain", ...endpointFound(reading, { answering, highest, chainId }) }));
}

function endpointFound(
  reading: EndpointReading,
  {
    answering,
    highest,
    chainId,
  }: { readonly answering: readonly unknown[]; readonly highest: number; readonly chainId: bigint | undefined },
): Finding {
  const { url } = reading;
  if ("failure" in reading) {
    const remedy = "Start the node or correct --rpc (VERISUM_RPC); name a second endpoint by repeating it.";
    return (answering.length > 0 ? warning : failed)(`${url} does not answer`, reading.failure, remedy);
  }
  const value = `${url}: chain ${reading.chainId}, block ${reading.head}, answers in ${Math.round(reading.latencyMs)} ms`;
  if (reading.chainId !== chainId)
    return failed(value, `the chain should be ${String(chainId)}`, "Name an endpoint of that chain with --rpc.");
  if (highest - reading.head > BLOCKS_BEHIND)
    return warning(
      value,
      `it is ${highest - reading.head} blocks behind another endpoint`,
      "Wait until its node has caught up, or leave it out.",
    );
  if (reading.latencyMs > SLOW_MS)
    return warning(value, "it answers slowly", "Use an endpoint that is nearer or less busy.");
  return ok(value);
}

/** What the contract says of its task now. */
export interface ContractReading {
  readonly round: Pick<RoundState, "number" | "phase">;
  readonly finalisedRounds: number;
  readonly members: number;
  readonly clients: number;
  readonly deployedIn: number;
  readonly parameters: Pick<
    TaskParameters,
    "committeeSize" | "minClients" | "bufferGoal" | "minSeparation" | "maxRounds"
  >;
}

export function contractFound({ round, finalisedRounds, parameters, ...counts }: ContractReading): Finding {
  const { committeeSize, maxRounds } = parameters;
  const needed = clientsNeeded(parameters);
  const value = `round ${round.number} is ${round.phase}, ${finalisedRounds}${maxRounds > 0 ? ` of ${maxRounds}` : ""} rounds are final, ${counts.members} of ${committeeSize} seats, ${counts.clients} clients, deployed in block ${counts.deployedIn}`;
  if (hasAllRounds(parameters, finalisedRounds))
    return warning(value, "the task is complete: no further round opens", "Nothing is left to do but fl verify.");
  const register = "The operator lists them: fl-operator add-member … and add-client ….";
  if (counts.members < committeeSize) return warning(value, "seats are free: no round opens", register);
  if (counts.clients < needed) return warning(value, `a round needs ${needed} clients that are registered`, register);
  return ok(value);
}

/** How finality is counted, and what the task's windows need of it. */
export interface FinalityReading {
  readonly timing: ChainTiming;
  readonly isDevelopment: boolean;
  /** As `--confirmations` says. */
  readonly confirmations: number | undefined;
  /** Undefined without a task. */
  readonly parameters: TaskParameters | undefined;
}

export function finalityFound({ timing, isDevelopment, confirmations, parameters }: FinalityReading): Finding {
  const counted = confirmations === undefined ? "" : ` (${confirmations} confirmations)`;
  const value = `${timingLine(timing)}${counted}`;
  if (!Number.isFinite(timing.finalitySeconds))
    return failed(
      value,
      "the endpoint has no finalized block: members would release nothing",
      "Wait until the chain finalises, use an endpoint that knows the finalized tag, or count blocks with --confirmations.",
    );
  if (confirmations === 0 && !isDevelopment)
    return warning(
      value,
      "a member that releases before finality can be made to release twice by a reorganisation",
      "Leave --confirmations out, or count as many blocks as the chain has ever reorganised.",
    );
  const short = parameters === undefined ? [] : shortWindows(parameters, timing);
  if (short.length === 0) return ok(value);
  const causes = short.map(({ text }) => text).join("; ");
  return failed(
    value,
    causes,
    "Rounds will abort. Windows cannot be changed: create a task with longer ones, or let all roles count fewer --confirmations.",
  );
}
