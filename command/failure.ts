/** How any command fails: one line with a code, and an exit status of its own (docs/errors.md). */
import { fileURLToPath } from "node:url";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import { withoutControls } from "../protocol/plain-text.ts";
import { maskUrls } from "../protocol/secrets.ts";

/** The exit status of a defect; an error with a code has its own, 0 is success. */
const DEFECT_STATUS = 5;
/** Callers that a defect's line names. */
const MOST_FRAMES = 3;
const ROOT = fileURLToPath(new URL("../", import.meta.url));

export interface Failure {
  /** An error's code, or DEFECT for what nobody foresaw. */
  readonly code: string;
  /** Behind the code, in one line. */
  readonly text: string;
  readonly status: number;
}

/** What a command says that ends with this, without secrets. */
export function failureOf(error: unknown): Failure {
  const known = isVerisumError(error) ? error : ofSystem(error);
  if (known !== undefined) return { code: known.code, text: inOneLine(known.message), status: known.entry.exit };
  return { code: "DEFECT", text: maskUrls(inOneLine(defectText(error))), status: DEFECT_STATUS };
}

/** The same as the line that people read: `✗ CODE: what happened`. */
export function failureLine(error: unknown): string {
  const { code, text } = failureOf(error);
  return `✗ ${code}: ${text}`;
}

/** What the operating system refused about a file, which needs no defect of the program. */
function ofSystem(error: unknown): VerisumError | undefined {
  const { code, path, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === "ENOSPC") return new VerisumError("STORAGE_FULL", "the disk has no space left", {}, { cause: error });
  if (typeof code !== "string" || typeof path !== "string" || typeof syscall !== "string") return undefined;
  return new VerisumError("STORAGE_FAILED", `${path}: ${code} (${syscall})`, { path }, { cause: error });
}

function defectText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const frames = (error.stack ?? "")
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .map((line) => line.trim().replace("file://", "").replace(ROOT, ""));
  return [`${error.name}: ${error.message}`, ...frames.slice(0, MOST_FRAMES)].join(" ");
}

function inOneLine(text: string): string {
  return withoutControls(text.replaceAll(/\s*\n\s*/g, " ").trim());
}
