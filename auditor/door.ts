/** What a program that checks a task imports, as `verisum/auditor`. */
export { createReporter } from "../command/reporter.ts";
export { openReadingNode } from "../task/node.ts";
export type { NodeOptions, ReadingNode } from "../task/node.ts";
export { auditTask } from "./audit-task.ts";
export type { AuditOptions, TaskAudit } from "./audit-task.ts";
export type { Checklist, Finding } from "./checklist.ts";
