/** What an audit amounts to, as `fl verify` and a browser say it alike. */
import type { TaskContext } from "../chain/task-chain.ts";
import type { KeysOrigin } from "../task/keys-claim.ts";
import type { TaskAudit } from "./audit-task.ts";
import { isUndecided } from "./checklist.ts";
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

/** Unfinished: nothing is found wrong, and something could not be looked at. */
export type Outcome = "verified" | "unfinished" | "failed";

export function outcomeOf(findings: readonly Finding[]): Outcome {
  const reds = findings.filter(({ ok }) => !ok);
  if (reds.length === 0) return "verified";
  return reds.every(isUndecided) ? "unfinished" : "failed";
}

/** What was found, in one sentence for people; of an unfinished audit, what it lacks. */
export function verdictLine({ findings, lastRound }: Pick<Verdict, "findings" | "lastRound">): string {
  const reds = findings.filter(({ ok }) => !ok);
  const [red] = reds;
  const [of, model] = [`${reds.length} of ${findings.length} checks`, `model of round ${lastRound}`];
  switch (outcomeOf(findings)) {
    case "verified":
      return `VERIFIED  ${findings.length} checks passed, ${model}`;
    case "failed":
      return `FAILED  ${of}, ${model}`;
    case "unfinished":
      return `UNFINISHED  nothing is found wrong, and ${of} could not be made: ${red!.detail}; start the nodes or name one with --peer, and verify again`;
  }
}

/** One line of JSON. */
export function verdictJson(verdict: Verdict): string {
  return JSON.stringify({ schemaVersion: 1, status: verdict.ok ? "ok" : "failed", data: verdict });
}

/**
 * The verdict in one line of JSON that was saved, which anybody may have written.
 * @returns undefined if it is none, or of another task
 */
export function verdictIn(
  json: string,
  { contract, chainId }: Pick<Verdict, "contract" | "chainId">,
): Verdict | undefined {
  const saved = parsed(json) as { readonly data?: Partial<Verdict> | null } | null | undefined;
  const verdict = saved?.data;
  if (verdict?.contract !== contract || verdict.chainId !== chainId) return undefined;
  const { ok, lastRound, processorMs, findings } = verdict;
  const isWhole =
    typeof ok === "boolean" &&
    Number.isSafeInteger(lastRound) &&
    Number.isFinite(processorMs) &&
    Array.isArray(findings) &&
    findings.every(isFinding) &&
    ok === findings.every((finding) => finding.ok);
  return isWhole ? (verdict as Verdict) : undefined;
}

function isFinding(value: unknown): value is Finding {
  const { round, check, detail, ok, code } = (value ?? {}) as Partial<Record<keyof Finding, unknown>>;
  return (
    typeof round === "number" &&
    typeof check === "string" &&
    typeof detail === "string" &&
    typeof ok === "boolean" &&
    (code === undefined || typeof code === "string")
  );
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
