/** The curve as sums and commitments use it: the engine, and the kernel where it works. */
import { getCurveFromName } from "ffjavascript";
import type { WasmCurve } from "ffjavascript";
import { compileKernels, kernelHere } from "./kernel/kernel.ts";
import type { Kernel } from "./kernel/kernel.ts";

export interface Curve extends WasmCurve {
  /** Undefined where it does not work: the engine does everything then, more slowly. */
  readonly kernel: Kernel | undefined;
}

/** A curve in the caller's thread, as in a browser's page: one that needs no threads and shares no memory. */
export async function openCurveHere(): Promise<Curve> {
  const kernels = compileKernels();
  // An engine of its own: the point adder grows the shared one's memory behind its back.
  return { ...(await getCurveFromName("bn128", true)), kernel: kernels && kernelHere(kernels) };
}
