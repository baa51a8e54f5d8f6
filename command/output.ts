/** What a command writes to: a pipe whose reader has gone away, or a disk that is full, are no defects of it. */
import { VerisumError } from "../protocol/errors.ts";

let lost: Error | undefined;

/**
 * From now on a stream that cannot be written to ends nothing. Without a reader (`fl status | head -1`) the work goes
 * on in silence, be it a role's; what was lost otherwise is told by {@link flushOutput}.
 */
export function keepOutput(): void {
  for (const stream of [process.stdout, process.stderr])
    if (!stream.listeners("error").includes(onFailure)) stream.on("error", onFailure);
}

function onFailure(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") lost ??= error;
}

/** Waits until what was written to standard output is there. @throws STORAGE_FULL, STORAGE_FAILED if it is not */
export async function flushOutput(): Promise<void> {
  if (!process.stdout.destroyed) await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
  // A stream tells of a failure after the write that failed.
  await new Promise((resolve) => setImmediate(resolve));
  if (lost === undefined) return;
  const { code } = lost as NodeJS.ErrnoException;
  const kind = code === "ENOSPC" || code === "EDQUOT" ? "STORAGE_FULL" : "STORAGE_FAILED";
  const cause = lost;
  lost = undefined;
  throw new VerisumError(kind, `the output could not be written: ${String(code)}`, {}, { cause });
}
