/**
 * Sums of many lists of points, as binary trees: all lists' additions of one depth are independent and share
 * inversions.
 */
import type { AdditionBatch } from "./addition-batch.ts";
import type { PointMemory } from "./point-memory.ts";

/**
 * Sums each segment.
 * @param items addresses of the points of all segments in order, `NEGATED` or not; overwritten
 * @param lengths points of each segment
 * @param out slots for the sums, one per segment; an empty one gives infinity
 */
export function sumSegments(
  kernel: PointMemory,
  batch: AdditionBatch,
  items: Uint32Array,
  lengths: Uint32Array,
  out: number,
): void {
  const { slotBytes } = kernel;
  const mark = kernel.mark();
  let free = kernel.allocate((items.length >> 1) * slotBytes);
  let segments = Uint32Array.from(lengths.keys());
  let left = lengths.slice();
  while (segments.length > 0) {
    let [read, write, kept] = [0, 0, 0];
    for (let k = 0; k < segments.length; k++) {
      const [segment, length] = [segments[k]!, left[k]!];
      const last = out + segment * slotBytes;
      if (length < 2) {
        if (length === 0) kernel.floats.fill(0, last / 8, (last + slotBytes) / 8);
        else kernel.copyPoint(items[read]!, last);
        read += length;
        continue;
      }
      for (const end = read + length - 1; read < end; read += 2) {
        const [a, b] = [items[read]!, items[read + 1]!];
        if (batch.metInfinity && kernel.isInfinity(a)) items[write++] = b;
        else if (batch.metInfinity && kernel.isInfinity(b)) items[write++] = a;
        else {
          // A sum may replace a point that an earlier round made, but not the caller's.
          let sum = last;
          if (length > 2) {
            if (a >= mark) sum = a;
            else if (b >= mark) sum = b;
            else [sum, free] = [free, free + slotBytes];
          }
          batch.push(a, b, sum);
          items[write++] = sum;
        }
      }
      if (length % 2 === 1) items[write++] = items[read++]!;
      segments[kept] = segment;
      left[kept++] = (length + 1) >> 1;
    }
    batch.flush();
    segments = segments.subarray(0, kept);
    left = left.subarray(0, kept);
  }
  kernel.release(mark);
}
