/** Many multiples of a group's generator, on all cores. Only key generation needs them. */
import { concatenate } from "../../protocol/bytes.ts";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { encodeScalars, openThreadlessCurve, SCALAR_BYTES } from "../curve/bn254.ts";
import type { GroupName } from "../curve/fixed-base-kernel.ts";
import type { FixedBaseRequest } from "./fixed-base-worker.ts";

/** Below this many points one thread is faster than starting several. */
const MIN_PER_THREAD = 4096;

/**
 * [s]·G for every scalar.
 * @param scalars canonical elements of Fr
 * @returns affine points in the engine's bytes, in order
 */
export async function generatorMultiples(group: GroupName, scalars: readonly bigint[]): Promise<Uint8Array> {
  const curve = await openThreadlessCurve();
  const common = { code: curve.tm.code!, group, generator: curve[group].gAffine };
  const bytes = encodeScalars(scalars);
  const threads = Math.max(1, Math.min(availableParallelism(), Math.floor(scalars.length / MIN_PER_THREAD)));
  const perThread = Math.ceil(scalars.length / threads);
  const parts = await Promise.all(
    Array.from({ length: threads }, (_, k) =>
      inWorker({ ...common, scalars: bytes.slice(k * perThread * SCALAR_BYTES, (k + 1) * perThread * SCALAR_BYTES) }),
    ),
  );
  return concatenate(parts);
}

function inWorker(request: FixedBaseRequest): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./fixed-base-worker.ts", import.meta.url));
    worker.once("message", (points: Uint8Array) => {
      resolve(points);
      void worker.terminate();
    });
    worker.once("error", reject);
    worker.postMessage(request);
  });
}
