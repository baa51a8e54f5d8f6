/** Computations of seconds in a thread of their own, so that the command still hears signals. */
import { parentPort, Worker, workerData } from "node:worker_threads";
import { isErrorCode, isVerisumError, VerisumError } from "../protocol/errors.ts";

type Told = { readonly answer: unknown } | { readonly code: string; readonly message: string };

/**
 * What a thread answers to one input.
 * @param file the thread's program, which calls `answerOnce`
 * @throws what the thread threw, with its code; INTERRUPTED at once, and the thread ends wherever it is
 */
export async function answerOf<Input>(file: URL, input: Input, signal: AbortSignal): Promise<unknown> {
  const worker = new Worker(file, { workerData: input });
  try {
    const told = await new Promise<Told>((resolve, reject) => {
      signal.addEventListener("abort", () => reject(new VerisumError("INTERRUPTED", "stopped on request")));
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", () => reject(new Error(`${file.href} ended without an answer`)));
    });
    if ("answer" in told) return told.answer;
    throw isErrorCode(told.code) ? new VerisumError(told.code, told.message) : new Error(told.message);
  } finally {
    await worker.terminate();
  }
}

/** In a thread: answers what it was started with. */
export function answerOnce<Input>(compute: (input: Input) => unknown): void {
  try {
    parentPort!.postMessage({ answer: compute(workerData as Input) } satisfies Told);
  } catch (error) {
    if (!isVerisumError(error)) throw error;
    parentPort!.postMessage({ code: error.code, message: error.message } satisfies Told);
  }
}
