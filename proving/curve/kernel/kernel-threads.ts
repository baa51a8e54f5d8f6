/** The kernel on threads: they start with the first task, take whole tasks from one queue, and hold no idle process. */
import type { Thread, Threads } from "../../../protocol/ports.ts";
import type { Kernel, KernelTask } from "./kernel.ts";

interface Waiting {
  readonly task: KernelTask;
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

type KernelThread = Thread<KernelTask>;

export class KernelThreads implements Kernel {
  private readonly threads: Threads<KernelTask, Uint8Array>;
  private readonly queue: Waiting[] = [];
  private readonly idle: KernelThread[] = [];
  private readonly busy = new Map<KernelThread, Waiting>();

  constructor(threads: Threads<KernelTask, Uint8Array>) {
    this.threads = threads;
  }

  /** Threads without work: as many pieces of one task would run at once. */
  get free(): number {
    return Math.max(0, this.threads.limit - this.busy.size - this.queue.length);
  }

  run(task: KernelTask): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.queue.push({ task, resolve, reject });
      this.assign();
    });
  }

  /** Ends the threads; tasks under way are rejected, and a later one starts others. */
  async close(): Promise<void> {
    const threads = [...this.idle, ...this.busy.keys()];
    const abandoned = [...this.queue.splice(0), ...this.busy.values()];
    this.idle.length = 0;
    this.busy.clear();
    for (const { reject } of abandoned) reject(new Error("the curve was closed"));
    await Promise.all(threads.map((thread) => thread.end()));
  }

  private assign(): void {
    while (this.queue.length > 0 && this.busy.size < this.threads.limit) {
      const thread = this.idle.pop() ?? this.start();
      const waiting = this.queue.shift()!;
      const { task } = waiting;
      this.busy.set(thread, waiting);
      thread.hold(true);
      thread.send(
        task,
        Object.values(task).flatMap((value: unknown) =>
          ArrayBuffer.isView(value) ? [value.buffer as ArrayBuffer] : [],
        ),
      );
    }
  }

  private start(): KernelThread {
    const thread = this.threads.start({
      answer: (bytes) => {
        const waiting = this.busy.get(thread);
        // An answer that was on its way when the threads were ended.
        if (waiting === undefined) return;
        this.busy.delete(thread);
        this.idle.push(thread);
        thread.hold(false);
        waiting.resolve(bytes);
        this.assign();
      },
      failure: (error) => {
        const waiting = this.busy.get(thread);
        this.busy.delete(thread);
        waiting?.reject(error);
        this.assign();
      },
    });
    return thread;
  }
}
