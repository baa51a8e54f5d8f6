/** Typed arrays that double as they fill: a stream of rows does not say how many there will be. */
import { assertValueCount } from "../data-file.ts";

const FIRST_CAPACITY = 1024;

export interface Growing<Values> {
  readonly length: number;
  /** What was pushed: a view, so that a large table is not there twice. */
  values(): Values;
}

/** Of rows of values, which are of the file or folder. Pushing throws DATASET_TOO_LARGE. */
export function growingFloats(path: string): Growing<Float32Array> & { push(row: Float32Array): void } {
  let held = new Float32Array(FIRST_CAPACITY);
  let length = 0;
  return {
    get length() {
      return length;
    },
    push(row) {
      assertValueCount(length + row.length, path);
      if (length + row.length > held.length) {
        const larger = new Float32Array(Math.max(2 * held.length, length + row.length));
        larger.set(held);
        held = larger;
      }
      held.set(row, length);
      length += row.length;
    },
    values: () => held.subarray(0, length),
  };
}

/** Of single integers. */
export function growingIntegers(): Growing<Int32Array> & { push(value: number): void } {
  let held = new Int32Array(FIRST_CAPACITY);
  let length = 0;
  return {
    get length() {
      return length;
    },
    push(value) {
      if (length === held.length) {
        const larger = new Int32Array(2 * held.length);
        larger.set(held);
        held = larger;
      }
      held[length++] = value;
    },
    values: () => held.subarray(0, length),
  };
}
