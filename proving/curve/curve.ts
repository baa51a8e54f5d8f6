/** The curve as sums and commitments use it: the engine, and the kernel where it works. */
import type { WasmCurve } from "ffjavascript";
import { openThreadlessCurve } from "./bn254.ts";
import { compileKernels, kernelHere } from "./kernel/kernel.ts";
import type { Kernel } from "./kernel/kernel.ts";

export interface Curve extends WasmCurve {
  /** Undefined where it does not work: the engine does everything then, more slowly. */
  readonly kernel: Kernel | undefined;
}

/** A curve in the caller's thread, as in a browser's page: one that needs no threads and shares no memory. */
export async function openCurveHere(): Promise<Curve> {
  const kernels = compileKernels();
  return { ...(await openThreadlessCurve()), kernel: kernels && kernelHere(kernels) };
}
