/** Where `fl verify --report` writes. */
import { VERSION } from "../../command/version.ts";
import { writeDurably } from "../../storage/durable-file.ts";
import type { OpenTask } from "../../task/opened-task.ts";
import type { Verdict } from "../verdict.ts";
import { makeReport } from "./make-report.ts";
import type { ReportOptions } from "./make-report.ts";
import { reportHtml } from "./report-html.ts";
import { reportJson } from "./saved-report.ts";

const READABLE = 0o644;

/** Paths of a report's two documents. @param file with either ending or none */
export function reportFiles(file: string): { readonly html: string; readonly json: string } {
  const base = file.replace(/\.(html|json)$/i, "");
  return { html: `${base}.html`, json: `${base}.json` };
}

/**
 * Writes both documents.
 * @throws STORAGE_FULL, STORAGE_FAILED; what reading the chain throws
 */
export async function writeReport(
  file: string,
  task: OpenTask,
  verdict: Verdict,
  options: Pick<ReportOptions, "until">,
): Promise<ReturnType<typeof reportFiles>> {
  const report = await makeReport(task, verdict, {
    ...options,
    program: `fl verify of verisum ${VERSION}`,
    now: new Date(),
  });
  const files = reportFiles(file);
  await writeDurably(files.html, reportHtml(verdict, report), { mode: READABLE });
  await writeDurably(files.json, reportJson(verdict, report), { mode: READABLE });
  return files;
}
