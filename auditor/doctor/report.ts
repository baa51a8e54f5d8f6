/** What `fl doctor` prints: lines for people, or one JSON object for programs. */
import pc from "picocolors";
import { z } from "zod";
import { maskUrls } from "../../protocol/secrets.ts";
import type { CheckState, NamedFinding } from "./check.ts";

const findingSchema = z.strictObject({
  check: z.string(),
  state: z.enum(["ok", "warning", "failed", "skipped"]),
  /** What was looked at, as it is. */
  value: z.string(),
  /** Why that is not right; absent if it is. */
  cause: z.string().optional(),
  /** What to do about it. */
  remedy: z.string().optional(),
  /** Of the error that the check met (docs/errors.md). */
  code: z.string().optional(),
});

/** Of `fl doctor --format json`. */
export const doctorReportSchema = z.strictObject({
  schemaVersion: z.literal(1),
  status: z.enum(["ok", "failed"]),
  data: z.strictObject({ checks: z.array(findingSchema) }),
});

const MARKS: Readonly<Record<CheckState, string>> = {
  ok: pc.green("✓"),
  warning: pc.yellow("!"),
  failed: pc.red("✗"),
  skipped: pc.dim("·"),
};
const NAME_WIDTH = 11;
const INDENT = " ".repeat(NAME_WIDTH + 3);

/** One object in one line. */
export function reportJson(findings: readonly NamedFinding[]): string {
  const status = findings.some(({ state }) => state === "failed") ? "failed" : "ok";
  return maskUrls(JSON.stringify(doctorReportSchema.parse({ schemaVersion: 1, status, data: { checks: findings } })));
}

/** A line for each check, with its cause and its remedy below it. */
export function reportText(findings: readonly NamedFinding[]): string {
  return maskUrls(findings.flatMap(linesOf).join("\n"));
}

function linesOf({ check, state, value, cause, remedy, code }: NamedFinding): string[] {
  return [
    `${MARKS[state]} ${check.padEnd(NAME_WIDTH)} ${value}`,
    ...(cause === undefined ? [] : [`${INDENT}${cause}${code === undefined ? "" : ` [${code}]`}`]),
    ...(remedy === undefined ? [] : [`${INDENT}→ ${remedy}`]),
  ];
}
