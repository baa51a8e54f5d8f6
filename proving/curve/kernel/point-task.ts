/** One thread's share of multi-exponentiations. */
import type { GroupName } from "../fixed-base-kernel.ts";
import { AdditionBatch } from "./addition-batch.ts";
import type { PointMemory } from "./point-memory.ts";
import { multiExponentiate } from "./pippenger.ts";
import { sumSegments } from "./segment-sums.ts";

/** Σ scalar·base in one group. With `groups`, a scalar belongs to all the points of its group. */
export interface PointTask {
  readonly group: GroupName;
  /** Affine points in the engine's bytes. */
  readonly points: Uint8Array;
  /** Little-endian, `scalarBytes` each, of any value; one per point, or per group. */
  readonly scalars: Uint8Array;
  readonly scalarBytes: number;
  /** The group of each point. */
  readonly groups?: Uint32Array;
}

export class PointTasks {
  private readonly kernel: PointMemory;
  private readonly batch: AdditionBatch;

  constructor(kernel: PointMemory) {
    this.kernel = kernel;
    this.batch = new AdditionBatch(kernel);
  }

  /** Affine points in the engine's bytes, the k-th of which counts 2^k times. */
  run({ points, scalars, scalarBytes, groups }: Omit<PointTask, "group">): Uint8Array<ArrayBuffer> {
    const { kernel, batch } = this;
    const mark = kernel.mark();
    const slots = kernel.loadPoints(points);
    batch.metInfinity = this.includesInfinity(slots, points.length / kernel.packedBytes);
    const bases = groups === undefined ? slots : this.sumGroups(slots, groups, scalars.length / scalarBytes);
    const sums = multiExponentiate(kernel, batch, bases, scalars, scalarBytes);
    const bytes = kernel.storePoints(sums.slots, sums.count);
    kernel.release(mark);
    return bytes;
  }

  private includesInfinity(slots: number, count: number): boolean {
    const { kernel } = this;
    for (let i = 0; i < count; i++) if (kernel.isInfinity(slots + i * kernel.slotBytes)) return true;
    return false;
  }

  private sumGroups(slots: number, groups: Uint32Array, count: number): number {
    const { kernel, batch } = this;
    const lengths = new Uint32Array(count);
    for (const group of groups) lengths[group]!++;
    const next = new Uint32Array(count);
    for (let group = 1; group < count; group++) next[group] = next[group - 1]! + lengths[group - 1]!;
    const items = new Uint32Array(groups.length);
    groups.forEach((group, i) => (items[next[group]!++] = slots + i * kernel.slotBytes));
    const sums = kernel.allocate(count * kernel.slotBytes);
    sumSegments(kernel, batch, items, lengths, sums);
    return sums;
  }
}
