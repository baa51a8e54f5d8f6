/** What the kernel's threads are sent. */
import type { CompiledKernel } from "./kernel-memory.ts";
import type { PointTask } from "./point-task.ts";
import type { QuotientTask } from "./quotient-task.ts";

export type KernelTask = PointTask | QuotientTask;

/** The modules that the threads share. */
export interface CompiledKernels {
  readonly points: CompiledKernel;
  readonly transforms: CompiledKernel;
}
