/** Worker thread of `kernel-threads.ts`: answers one task at a time. */
import { parentPort, workerData } from "node:worker_threads";
import type { CompiledKernels, KernelTask } from "./kernel-task.ts";
import { PointMemory } from "./point-memory.ts";
import { PointTasks } from "./point-task.ts";
import { QuotientTasks } from "./quotient-task.ts";

const kernels = workerData as CompiledKernels;
const pointTasks = new PointTasks(new PointMemory(kernels.points));
const quotientTasks = new QuotientTasks(kernels.transforms);
parentPort!.on("message", (task: KernelTask) => {
  const bytes = "points" in task ? pointTasks.run(task) : quotientTasks.run(task);
  parentPort!.postMessage(bytes, [bytes.buffer]);
});
