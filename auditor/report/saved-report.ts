/** A report as a JSON document: the verdict of `fl verify`, as it prints it, and beside it what it is of. */
import { verdictIn, verdictJson } from "../verdict.ts";
import type { Verdict } from "../verdict.ts";
import { taskReportSchema } from "./report.ts";
import type { TaskReport } from "./report.ts";

/** What a saved file says, which anybody may have written. */
export interface SavedReport {
  readonly verdict: Verdict;
  /** Absent from a verdict alone. */
  readonly report?: TaskReport;
}

export function reportJson(verdict: Verdict, report: TaskReport): string {
  const document = { ...(JSON.parse(verdictJson(verdict)) as object), report };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** @returns undefined if it is neither a report nor a verdict, or of another task */
export function savedReportIn(json: string, of: Pick<Verdict, "contract" | "chainId">): SavedReport | undefined {
  const verdict = verdictIn(json, of);
  if (verdict === undefined) return undefined;
  const { report } = JSON.parse(json) as { readonly report?: unknown };
  if (report === undefined) return { verdict };
  const { data } = taskReportSchema.safeParse(report);
  const isOfTask = data?.task.contract === of.contract && data.task.chainId === of.chainId;
  return isOfTask ? { verdict, report: data } : undefined;
}
