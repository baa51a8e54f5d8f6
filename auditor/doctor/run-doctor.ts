/** What `fl doctor` does. */
import type { Format } from "../../command/reporter.ts";
import { ensure } from "../../protocol/errors.ts";
import { runChecks } from "./check.ts";
import { planChecks } from "./plan.ts";
import { reportJson, reportText } from "./report.ts";
import type { DoctorOptions } from "./sources.ts";

export interface DoctorFlags extends DoctorOptions {
  readonly format: Format;
  /** Seconds that one check may take. */
  readonly timeout: number;
}

/** Runs the checks and prints what they found. @throws CHECKS_FAILED if one failed; INTERRUPTED */
export async function runDoctor(flags: DoctorFlags, signal: AbortSignal): Promise<void> {
  const checks = planChecks(flags, process.env, signal);
  const findings = await runChecks(checks, { timeoutMs: flags.timeout * 1000, signal });
  process.stdout.write(`${flags.format === "json" ? reportJson(findings) : reportText(findings)}\n`);
  const bad = findings.filter(({ state }) => state === "failed").map(({ check }) => check);
  const names = [...new Set(bad)];
  ensure(
    names.length === 0,
    "CHECKS_FAILED",
    `${bad.length} of ${findings.length} checks failed: ${names.join(", ")}`,
    {
      checks: names,
    },
  );
}
