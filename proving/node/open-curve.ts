/** The curve on all cores of a Node process. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { openEngine } from "../curve/bn254.ts";
import type { Curve } from "../curve/curve.ts";
import { compileKernels } from "../curve/kernel/kernel.ts";
import type { CompiledKernels, KernelTask } from "../curve/kernel/kernel.ts";
import { KernelThreads } from "../curve/kernel/kernel-threads.ts";
import type { Threads } from "../../protocol/ports.ts";

/** Null where the kernel does not work. */
let shared: KernelThreads | null | undefined;

/** The engine and the kernel, shared by everybody in the process. The engine keeps it alive until `closeCurve`. */
export async function openCurve(): Promise<Curve> {
  return { ...(await openEngine(false)), kernel: kernelThreads() };
}

/** Ends the threads of the shared engine and of the kernel; later calls start them again. */
export async function closeCurve(): Promise<void> {
  await closeKernelThreads();
  await (await openEngine(false)).terminate();
}

/** The kernel's threads of this process, or undefined where it does not work. */
export function kernelThreads(): KernelThreads | undefined {
  if (shared === undefined) {
    const kernels = compileKernels();
    shared = kernels === undefined ? null : new KernelThreads(workerThreads(kernels));
  }
  return shared ?? undefined;
}

/** Ends the kernel's threads; a later task starts others. Tasks under way are rejected. */
export async function closeKernelThreads(): Promise<void> {
  await shared?.close();
}

/** As many workers of Node as there are cores. */
function workerThreads(kernels: CompiledKernels): Threads<KernelTask, Uint8Array> {
  return {
    limit: availableParallelism(),
    start({ answer, failure }) {
      const worker = new Worker(new URL("./kernel-worker.ts", import.meta.url), { workerData: kernels });
      worker.on("message", answer);
      worker.on("error", (error) => failure(error instanceof Error ? error : new Error(String(error))));
      return {
        send: (task, transfer) => worker.postMessage(task, transfer),
        hold: (holds) => void (holds ? worker.ref() : worker.unref()),
        end: async () => void (await worker.terminate()),
      };
    },
  };
}
