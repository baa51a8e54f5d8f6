/**
 * The gradient of each example of a batch, in a form that is small: a dense layer's is the outer product of its input
 * and its error, so its norm is known without forming it (Goodfellow 2015, "Efficient per-example gradient
 * computations"); a convolution's kernel is small enough to hold one gradient for each example.
 */

/** Gradients of a dense layer's kernel [inputs, outputs] and of the bias behind it, as factors. */
export interface DenseFactors {
  readonly kind: "dense";
  /** Where the kernel begins in the flat weights. */
  readonly start: number;
  readonly inputCount: number;
  readonly outputCount: number;
  /** [examples, inputCount] */
  readonly inputs: Float32Array;
  /** The loss's gradient in the layer's output, [examples, outputCount]. */
  readonly errors: Float32Array;
}

/** Gradients of a convolution's kernel and of the bias behind it. */
export interface ConvolutionGradients {
  readonly kind: "convolution";
  /** Where the kernel begins in the flat weights. */
  readonly start: number;
  /** One array for each example, kernel and then bias. */
  readonly gradients: readonly Float32Array[];
}

export interface ExampleGradients {
  /** One loss for each example. */
  readonly losses: Float64Array;
  readonly layers: readonly (DenseFactors | ConvolutionGradients)[];
}

/** The squared L2 norm of one example's gradient; not finite if the gradient is not. */
export function squaredNormOf({ layers }: ExampleGradients, example: number): number {
  return layers.reduce((sum, layer) => {
    if (layer.kind === "convolution")
      return sum + squaredLength(layer.gradients[example]!, 0, layer.gradients[example]!.length);
    const { inputCount, outputCount, inputs, errors } = layer;
    return (
      sum +
      (1 + squaredLength(inputs, example * inputCount, inputCount)) *
        squaredLength(errors, example * outputCount, outputCount)
    );
  }, 0);
}

/** An example and the factor for its gradient. */
export interface ScaledExample {
  readonly example: number;
  readonly scale: number;
}

/** Adds trunc(scale · gradient), coordinate by coordinate, of each example listed to `sum`. */
export function addTruncated(
  sum: Float64Array,
  { layers }: ExampleGradients,
  examples: readonly ScaledExample[],
): void {
  for (const layer of layers) {
    if (layer.kind === "dense") addDense(sum, layer, examples);
    else for (const { example, scale } of examples) addScaled(sum, layer.start, layer.gradients[example]!, scale);
  }
}

function addScaled(sum: Float64Array, start: number, gradient: Float32Array, scale: number): void {
  for (let i = 0; i < gradient.length; i++) sum[start + i] = sum[start + i]! + Math.trunc(gradient[i]! * scale);
}

/**
 * Row by row of the kernel, all examples at a time: a row of sums stays in the cache. Zeros, which ReLU makes, are left
 * out.
 */
function addDense(
  sum: Float64Array,
  { start, inputCount, outputCount, inputs, errors }: DenseFactors,
  examples: readonly ScaledExample[],
): void {
  const columns = new Int32Array(examples.length * outputCount);
  const values = new Float64Array(examples.length * outputCount);
  const ends = new Int32Array(examples.length);
  const bias = start + inputCount * outputCount;
  let end = 0;
  examples.forEach(({ example, scale }, n) => {
    for (let j = 0; j < outputCount; j++) {
      const value = errors[example * outputCount + j]! * scale;
      if (value === 0) continue;
      columns[end] = j;
      values[end++] = value;
      sum[bias + j] = sum[bias + j]! + Math.trunc(value);
    }
    ends[n] = end;
  });
  // Without zeros, as behind softmax, columns need no list.
  const isFull = end === values.length;
  for (let i = 0; i < inputCount; i++) {
    const row = start + i * outputCount;
    for (let n = 0, k = 0; n < examples.length; n++) {
      const until = ends[n]!;
      const input = inputs[examples[n]!.example * inputCount + i]!;
      if (input === 0) {
        k = until;
        continue;
      }
      if (isFull) {
        for (let at = row; k < until; k++, at++) sum[at] = sum[at]! + Math.trunc(input * values[k]!);
        continue;
      }
      for (; k < until; k++) {
        const at = row + columns[k]!;
        sum[at] = sum[at]! + Math.trunc(input * values[k]!);
      }
    }
  }
}

function squaredLength(values: Float32Array, from: number, length: number): number {
  let sum = 0;
  for (let i = from; i < from + length; i++) sum += values[i]! * values[i]!;
  return sum;
}
