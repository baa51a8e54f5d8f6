/** Worker thread of `open-curve.ts`: answers one task of the kernel at a time. */
import { parentPort, workerData } from "node:worker_threads";
import { KernelTasks } from "../curve/kernel/kernel.ts";
import type { CompiledKernels, KernelTask } from "../curve/kernel/kernel.ts";

const tasks = new KernelTasks(workerData as CompiledKernels);
parentPort!.on("message", (task: KernelTask) => {
  const bytes = tasks.run(task);
  parentPort!.postMessage(bytes, [bytes.buffer]);
});
