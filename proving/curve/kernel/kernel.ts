/** The kernel as its callers see it: whole tasks, on threads or in the caller's own. */
import type { GroupName } from "../fixed-base-kernel.ts";
import { compileKernel } from "./kernel-memory.ts";
import type { CompiledKernel } from "./kernel-memory.ts";
import { PointMemory } from "./point-memory.ts";
import { pointModule } from "./point-module.ts";
import { PointTasks } from "./point-task.ts";
import type { PointTask } from "./point-task.ts";
import { QuotientTasks } from "./quotient-task.ts";
import type { QuotientTask } from "./quotient-task.ts";
import { transformModule } from "./transform-module.ts";

export type KernelTask = PointTask | QuotientTask;

export interface Kernel {
  /** How many pieces of one task would run at once. */
  readonly free: number;
  /** The task's result. Takes the task's arrays away, which must not be views of larger ones. */
  run(task: KernelTask): Promise<Uint8Array>;
}

/** The modules, which threads share. */
export interface CompiledKernels {
  readonly points: Readonly<Record<GroupName, CompiledKernel>>;
  readonly transforms: CompiledKernel;
}

/** Works on one task at a time in memory of its own. */
export class KernelTasks {
  private readonly points: Readonly<Record<GroupName, PointTasks>>;
  private readonly quotients: QuotientTasks;

  constructor({ points, transforms }: CompiledKernels) {
    const tasksIn = (group: GroupName): PointTasks => new PointTasks(new PointMemory(points[group], group));
    this.points = { G1: tasksIn("G1"), G2: tasksIn("G2") };
    this.quotients = new QuotientTasks(transforms);
  }

  run(task: KernelTask): Uint8Array<ArrayBuffer> {
    return "points" in task ? this.points[task.group].run(task) : this.quotients.run(task);
  }
}

/**
 * The modules, or undefined where the kernel does not work: on platforms without relaxed SIMD and on processors without
 * a fused multiply-add.
 */
export function compileKernels(): CompiledKernels | undefined {
  try {
    const G1 = compileKernel(pointModule("G1"));
    if (!new PointMemory(G1, "G1").multipliesExactly()) return undefined;
    return { points: { G1, G2: compileKernel(pointModule("G2")) }, transforms: compileKernel(transformModule()) };
  } catch (error) {
    if (error instanceof Error && error.name === "CompileError") return undefined;
    throw error;
  }
}

/** The kernel in the caller's thread, which does nothing else while a task runs. */
export function kernelHere(kernels: CompiledKernels): Kernel {
  const tasks = new KernelTasks(kernels);
  return { free: 1, run: async (task) => tasks.run(task) };
}
