/** What a role's node says of itself at `/status`, and how others read it. */
import { z } from "zod";
import { PHASES } from "../chain/task-chain.ts";
import type { RoundState } from "../chain/task-chain.ts";
import { VERSION } from "../command/version.ts";
import { readBody } from "../content/peers.ts";
import { metricsSchema } from "./checkpoint.ts";
import type { WritingNode } from "./node.ts";
import type { Vitals } from "./vitals.ts";

const MAX_STATUS_BYTES = 16_384;
/** Longest time that a node is waited for. */
const PATIENCE_MS = 3000;

const roundNumber = z.string().regex(/^[0-9]{1,20}$/);
const text = z.string().max(1000);

/** A newer node may say more. */
const nodeStatusSchema = z.object({
  schemaVersion: z.literal(1),
  role: z.enum(["member", "aggregator", "client"]),
  /** Of a member. */
  seat: z.int().min(1).optional(),
  version: text,
  task: text,
  chainId: z.string().regex(/^[0-9]{1,78}$/),
  contract: z.string().regex(/^0x[0-9a-f]{40}$/),
  account: z.string().regex(/^0x[0-9a-f]{40}$/),
  /** Its loop has looked at the chain lately. */
  healthy: z.boolean(),
  /** It is healthy, and has begun to play its part. */
  ready: z.boolean(),
  /** Why it is not healthy. */
  trouble: text.nullable(),
  uptimeSeconds: z.number(),
  /** Since it looked at the chain; null before the first look. */
  lookSecondsAgo: z.number().nullable(),
  /** As that look saw it; null before the first. Deadlines are Unix seconds. */
  round: z
    .object({
      number: roundNumber,
      phase: z.enum(PHASES),
      deadline: z.int(),
      submitted: z.int(),
      expected: z.int(),
    })
    .nullable(),
  finalisedRounds: z.int().nullable(),
  /** Of the last model that it measured, on data of its own: null if it measures none. Nobody has checked it. */
  metrics: z.object({ claimed: metricsSchema }).nullable(),
  /** Null while it is at work. */
  waitsFor: z.object({ text, code: text.optional(), seconds: z.number() }).nullable(),
});

export type NodeStatus = z.infer<typeof nodeStatusSchema>;

/** Who a node is. */
export interface NodeIdentity {
  readonly role: NodeStatus["role"];
  readonly seat?: number;
}

export function statusOf(
  { chain, task }: Pick<WritingNode, "chain" | "task">,
  { role, seat }: NodeIdentity,
  vitals: Pick<Vitals, "read">,
): NodeStatus {
  const { counters, lookSecondsAgo, startedSecondsAgo, trouble, ready, waitsFor, measured } = vitals.read();
  const { chainId, contract } = chain.context;
  return {
    schemaVersion: 1,
    role,
    ...(seat === undefined ? {} : { seat }),
    version: VERSION,
    task: task.document.name,
    chainId: chainId.toString(),
    contract,
    account: chain.account.toLowerCase(),
    healthy: trouble === undefined,
    ready,
    trouble: trouble ?? null,
    uptimeSeconds: rounded(startedSecondsAgo),
    lookSecondsAgo: counters === undefined ? null : rounded(lookSecondsAgo),
    round: counters === undefined ? null : roundOf(counters.round),
    finalisedRounds: counters?.finalisedRounds ?? null,
    metrics: measured === undefined ? null : { claimed: measured },
    waitsFor: waitsFor === undefined ? null : { ...waitsFor, seconds: rounded(waitsFor.seconds) },
  };
}

function roundOf({ number, phase, deadline, submitted, expected }: RoundState): NodeStatus["round"] {
  return { number: number.toString(), phase, deadline, submitted, expected };
}

/** To tenths of a second. */
function rounded(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}

/** What a node says of itself, which nobody checked; undefined if it does not, or not in a few seconds. */
export async function fetchNodeStatus(node: string, fetch: typeof globalThis.fetch): Promise<NodeStatus | undefined> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    const url = new URL("status", node.endsWith("/") ? node : `${node}/`);
    const response = await fetch(url, { signal, redirect: "error" });
    const body = await readBody(response, MAX_STATUS_BYTES, signal);
    return nodeStatusSchema.parse(JSON.parse(new TextDecoder().decode(body)));
  } catch {
    return undefined;
  }
}
