/** What an audit amounts to, as `fl verify`, its report and a browser say it alike. */
import type { TaskContext } from "../chain/task-chain.ts";
import type { KeysOrigin } from "../task/keys-origin.ts";
import type { TaskAudit } from "./audit-task.ts";
import type { Finding } from "./checklist.ts";
import type { RoundMetrics } from "./metrics.ts";

/** How an audit went, besides what it found. */
export interface Circumstances {
  /** Of all threads, from the first check on; in a browser the time that it took. */
  readonly processorMs: number;
  readonly context: Pick<TaskContext, "chainId" | "contract">;
  /** Undefined where nobody looked. */
  readonly origin?: KeysOrigin | undefined;
}

export interface Verdict {
  readonly contract: string;
  readonly chainId: string;
  readonly ok: boolean;
  readonly lastRound: number;
  readonly keys?: KeysOrigin;
  readonly processorMs: number;
  readonly metrics: readonly RoundMetrics[];
  readonly findings: readonly Finding[];
}

export function verdictOf(audit: TaskAudit, { processorMs, context, origin }: Circumstances): Verdict {
  return {
    contract: context.contract,
    chainId: context.chainId.toString(),
    ok: audit.ok,
    lastRound: Number(audit.model?.record.round ?? 0n),
    ...(origin === undefined ? {} : { keys: origin }),
    processorMs: Math.round(processorMs),
    metrics: audit.metrics,
    findings: audit.findings,
  };
}

/** One line of JSON. */
export function verdictJson(verdict: Verdict): string {
  return JSON.stringify({ schemaVersion: 1, status: verdict.ok ? "ok" : "failed", data: verdict });
}
