/**
 * What a layer computes, in operations that every format of models has: a layer says it once, and each format writes
 * it in its own words. Images are [examples, height, width, channels].
 */
export interface Operations<Value> {
  /** Numbers that do not depend on the input. */
  constant(values: Float32Array, shape: readonly number[]): Value;
  /** [examples, n] · [n, m]. */
  matMul(a: Value, b: Value): Value;
  /** Of equal shapes, or with `b` repeated along what it lacks. */
  add(a: Value, b: Value): Value;
  subtract(a: Value, b: Value): Value;
  multiply(a: Value, b: Value): Value;
  relu(x: Value): Value;
  tanh(x: Value): Value;
  /** Natural. */
  logarithm(x: Value): Value;
  /** 1 / √x. */
  reciprocalRoot(x: Value): Value;
  /** Along the last axis. */
  softmax(x: Value): Value;
  /** Stride 1, no padding. @param kernel values of [height, width, in, out] */
  convolve(images: Value, kernel: Float32Array, shape: readonly [number, number, number, number]): Value;
  /** Windows side by side; what does not fill one is left out. */
  maxPool(images: Value, window: Window): Value;
  averagePool(images: Value, window: Window): Value;
  /** Over these axes, which stay as sides of 1. The examples' axis is 0. */
  mean(x: Value, axes: readonly number[]): Value;
  /** @param shape of one example */
  reshape(x: Value, shape: readonly number[]): Value;
  /** Rows of a table [rows, width] by number, rounded down and kept within the table. */
  lookUp(table: Value, numbers: Value, rows: number): Value;
}

export type Window = readonly [height: number, width: number];
