/** Sums of G1 points in this thread, in memory of its own: one WebAssembly call per addition and no copying between. */
import type { EngineMemory } from "ffjavascript";
import { BASE_FIELD_ORDER } from "../../protocol/parameters.ts";
import { engineModule } from "./bn254.ts";
import { instantiateEngine } from "./fixed-base-kernel.ts";
import type { EngineInstance, GroupName } from "./fixed-base-kernel.ts";

const AFFINE_BYTES = 64;
const JACOBIAN_BYTES = 96;
const PAGE_BYTES = 65536;

const PREFIX: Readonly<Record<GroupName, string>> = { G1: "g1m", G2: "g2m" };
const POINT_BYTES: Readonly<Record<GroupName, number>> = { G1: AFFINE_BYTES, G2: 2 * AFFINE_BYTES };

let shared: Promise<PointAdder> | undefined;

/** An adder for this process; its calls finish before they return, so everybody can use the same one. */
export function openPointAdder(): Promise<PointAdder> {
  shared ??= engineModule()
    .then(instantiateEngine)
    .then((engine) => new PointAdder(engine));
  return shared;
}

export class PointAdder {
  private readonly exports: Readonly<Record<string, (...pointers: number[]) => number>>;
  private readonly memory: EngineMemory;

  constructor(engine: EngineInstance) {
    this.exports = engine.exports;
    this.memory = engine.memory;
  }

  /**
   * True if every point is on the curve, in the one encoding that it has, and none is infinity. G1 has no smaller
   * subgroup to be in; G2 is one, which is for the caller to see to.
   */
  areProperPoints(points: Uint8Array, group: GroupName = "G1"): boolean {
    if (!areReduced(points)) return false;
    const [inCurve, isZero] = [`${PREFIX[group]}_inCurveAffine`, `${PREFIX[group]}_isZeroAffine`].map(
      (name) => this.exports[name]!,
    );
    const input = this.place(points, 0);
    for (let at = input; at < input + points.length; at += POINT_BYTES[group])
      if (isZero!(at) !== 0 || inCurve!(at) === 0) return false;
    return true;
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
    const input = this.place(points, 2 * bucketCount * JACOBIAN_BYTES);
    const sums = input + points.length;
    for (let bucket = 0; bucket < bucketCount; bucket++) zero!(sums + bucket * JACOBIAN_BYTES);
    for (let k = 0; k < entries.length; k++) {
      const sum = sums + buckets[k]! * JACOBIAN_BYTES;
      addMixed!(sum, input + entries[k]! * AFFINE_BYTES, sum);
    }
    // Converting to affine takes scratch space from the engine's bump allocator, whose next free address is its first
    // word.
    const free = this.firstFree();
    new Uint32Array(this.memory.buffer, 0, 1)[0] = sums + bucketCount * JACOBIAN_BYTES;
    batchToAffine!(sums, bucketCount, sums);
    new Uint32Array(this.memory.buffer, 0, 1)[0] = free;
    return new Uint8Array(this.memory.buffer, sums, bucketCount * AFFINE_BYTES).slice();
  }

  /** Copies points to the first free address, with room for `beyond` bytes after them; nothing stays allocated. */
  private place(points: Uint8Array, beyond: number): number {
    const input = (this.firstFree() + 7) & ~7;
    const missing = input + points.length + beyond - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE_BYTES));
    new Uint8Array(this.memory.buffer).set(points, input);
    return input;
  }

  private firstFree(): number {
    return new Uint32Array(this.memory.buffer, 0, 1)[0]!;
  }
}

/** True if every coordinate, 32 bytes little-endian, is below the order of the base field. */
function areReduced(points: Uint8Array): boolean {
  const words = new BigUint64Array(points.buffer.slice(points.byteOffset, points.byteOffset + points.length));
  const order = Array.from({ length: 4 }, (_, k) => (BASE_FIELD_ORDER >> BigInt(64 * k)) & 0xffff_ffff_ffff_ffffn);
  for (let at = 0; at < words.length; at += 4) {
    let k = 3;
    while (k > 0 && words[at + k] === order[k]) k--;
    if (words[at + k]! >= order[k]!) return false;
  }
  return true;
}
