/** Sums of G1 points in this thread, in memory of its own: one WebAssembly call per addition and no copying between. */
import { getCurveFromName } from "ffjavascript";
import type { EngineMemory } from "ffjavascript";

const AFFINE_BYTES = 64;
const JACOBIAN_BYTES = 96;
const PAGE_BYTES = 65536;

export class PointAdder {
  private readonly exports: Readonly<Record<string, (...pointers: number[]) => number>>;
  private readonly memory: EngineMemory;

  private constructor(exports: Readonly<Record<string, (...pointers: number[]) => number>>, memory: EngineMemory) {
    this.exports = exports;
    this.memory = memory;
  }

  /** An adder over an engine instance without threads. */
  static async create(): Promise<PointAdder> {
    const { tm } = await getCurveFromName("bn128", true);
    return new PointAdder(tm.instance.exports, tm.memory);
  }

  /**
   * The sum of each bucket's points.
   * @param points affine points in the engine's bytes
   * @param entries indexes into `points`
   * @param buckets the bucket of each entry, below `bucketCount`
   * @returns one affine point per bucket
   */
  sumByBucket(points: Uint8Array, entries: Uint32Array, buckets: Uint32Array, bucketCount: number): Uint8Array {
    if (bucketCount === 0) return new Uint8Array(0);
    const { g1m_zero: zero, g1m_addMixed: addMixed, g1m_batchToAffine: batchToAffine } = this.exports;
    const free = new Uint32Array(this.memory.buffer, 0, 1)[0]!;
    const sums = (free + 7) & ~7;
    const input = sums + bucketCount * JACOBIAN_BYTES;
    const end = input + points.length;
    // Converting to affine takes scratch space for one coordinate per point from the engine's bump allocator.
    const missing = end + bucketCount * JACOBIAN_BYTES - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE_BYTES));
    new Uint8Array(this.memory.buffer).set(points, input);
    for (let bucket = 0; bucket < bucketCount; bucket++) zero!(sums + bucket * JACOBIAN_BYTES);
    for (let k = 0; k < entries.length; k++) {
      const sum = sums + buckets[k]! * JACOBIAN_BYTES;
      addMixed!(sum, input + entries[k]! * AFFINE_BYTES, sum);
    }
    new Uint32Array(this.memory.buffer, 0, 1)[0] = end;
    batchToAffine!(sums, bucketCount, sums);
    new Uint32Array(this.memory.buffer, 0, 1)[0] = free;
    return new Uint8Array(this.memory.buffer, sums, bucketCount * AFFINE_BYTES).slice();
  }
}
