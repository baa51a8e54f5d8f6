/**
 * The kernel on all cores. Threads start with the first task, take whole tasks from one queue, and keep no idle process
 * alive.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { compileKernel } from "./kernel-memory.ts";
import { PointMemory } from "./point-memory.ts";
import { pointModule } from "./point-module.ts";
import { transformModule } from "./transform-module.ts";
import type { KernelTask, CompiledKernels } from "./kernel-task.ts";

interface Waiting {
  readonly task: KernelTask;
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

let compiled: CompiledKernels | null | undefined;
let shared: KernelThreads | undefined;

/**
 * The threads of this process, or undefined where the kernel does not work: on platforms without relaxed SIMD and on
 * processors without a fused multiply-add.
 */
export function kernelThreads(): KernelThreads | undefined {
  compiled ??= compileIfExact() ?? null;
  if (compiled !== null) shared ??= new KernelThreads(compiled, availableParallelism());
  return shared;
}

/** Ends the threads; a later `kernelThreads` starts others. Tasks under way are rejected. */
export async function closeKernelThreads(): Promise<void> {
  const closing = shared;
  shared = undefined;
  await closing?.close();
}

function compileIfExact(): CompiledKernels | undefined {
  try {
    const points = compileKernel(pointModule());
    return new PointMemory(points).multipliesExactly()
      ? { points, transforms: compileKernel(transformModule()) }
      : undefined;
  } catch (error) {
    if (error instanceof Error && error.name === "CompileError") return undefined;
    throw error;
  }
}

export class KernelThreads {
  private readonly kernels: CompiledKernels;
  private readonly limit: number;
  private readonly queue: Waiting[] = [];
  private readonly idle: Worker[] = [];
  private readonly busy = new Map<Worker, Waiting>();

  /** @param limit most threads at once */
  constructor(kernels: CompiledKernels, limit: number) {
    this.kernels = kernels;
    this.limit = limit;
  }

  /** Threads without work: as many pieces of one task would run at once. */
  get free(): number {
    return Math.max(0, this.limit - this.busy.size - this.queue.length);
  }

  /** The task's result. Takes the task's arrays away, which must not be views of larger ones. */
  run(task: KernelTask): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.queue.push({ task, resolve, reject });
      this.assign();
    });
  }

  async close(): Promise<void> {
    const workers = [...this.idle, ...this.busy.keys()];
    const abandoned = [...this.queue.splice(0), ...this.busy.values()];
    this.idle.length = 0;
    this.busy.clear();
    for (const { reject } of abandoned) reject(new Error("the curve was closed"));
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  private assign(): void {
    while (this.queue.length > 0 && this.busy.size < this.limit) {
      const worker = this.idle.pop() ?? this.start();
      const waiting = this.queue.shift()!;
      const { task } = waiting;
      this.busy.set(worker, waiting);
      worker.ref();
      worker.postMessage(
        task,
        Object.values(task).flatMap((value: unknown) =>
          ArrayBuffer.isView(value) ? [value.buffer as ArrayBuffer] : [],
        ),
      );
    }
  }

  private start(): Worker {
    const worker = new Worker(new URL("./kernel-worker.ts", import.meta.url), { workerData: this.kernels });
    worker.on("message", (bytes: Uint8Array) => {
      const waiting = this.busy.get(worker);
      this.busy.delete(worker);
      this.idle.push(worker);
      worker.unref();
      waiting?.resolve(bytes);
      this.assign();
    });
    worker.on("error", (error) => {
      const waiting = this.busy.get(worker);
      this.busy.delete(worker);
      waiting?.reject(error instanceof Error ? error : new Error(String(error)));
      this.assign();
    });
    return worker;
  }
}
