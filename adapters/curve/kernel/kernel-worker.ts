/** Worker thread of `kernel-threads.ts`: answers one task at a time. */
import { parentPort, workerData } from "node:worker_threads";
import type { CompiledKernel } from "./kernel-memory.ts";
import { PointMemory } from "./point-memory.ts";
import { PointTasks } from "./point-task.ts";
import type { PointTask } from "./point-task.ts";

const tasks = new PointTasks(new PointMemory(workerData as CompiledKernel));
parentPort!.on("message", (task: PointTask) => {
  const bytes = tasks.run(task);
  parentPort!.postMessage(bytes, [bytes.buffer]);
});
