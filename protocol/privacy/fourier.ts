/** The discrete Fourier transform of real distributions, for composing them. */

/** A vector of complex numbers. */
export interface Complex {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/**
 * In-place transform of a power-of-two length: Cooley and Tukey, radix 2, with twiddles from sine and cosine directly.
 * Relative error in the L2 norm is below 8·log2(length)·2^−53 (Higham 2002, Theorem 24.2).
 * @param inverse divides by the length
 */
export function transform({ re, im }: Complex, inverse: boolean): void {
  const length = re.length;
  reorder(re);
  reorder(im);
  const cosines = new Float64Array(length / 2);
  const sines = new Float64Array(length / 2);
  for (let k = 0; k < length / 2; k++) {
    cosines[k] = Math.cos((2 * Math.PI * k) / length);
    sines[k] = (inverse ? 1 : -1) * Math.sin((2 * Math.PI * k) / length);
  }
  for (let half = 1; half < length; half *= 2) {
    const stride = length / (2 * half);
    for (let start = 0; start < length; start += 2 * half) {
      for (let k = 0, i = start, j = start + half; k < half; k++, i++, j++) {
        const [wr, wi] = [cosines[k * stride]!, sines[k * stride]!];
        const xr = re[j]! * wr - im[j]! * wi;
        const xi = re[j]! * wi + im[j]! * wr;
        re[j] = re[i]! - xr;
        im[j] = im[i]! - xi;
        re[i]! += xr;
        im[i]! += xi;
      }
    }
  }
  if (inverse) {
    for (let i = 0; i < length; i++) {
      re[i]! /= length;
      im[i]! /= length;
    }
  }
}

/** Each element to a non-negative integer power, in place; relative error below 8·exponent·2^−53. */
export function power({ re, im }: Complex, exponent: number): void {
  for (let i = 0; i < re.length; i++) {
    let [baseRe, baseIm, resultRe, resultIm] = [re[i]!, im[i]!, 1, 0];
    for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
      if (left % 2 === 1)
        [resultRe, resultIm] = [resultRe * baseRe - resultIm * baseIm, resultRe * baseIm + resultIm * baseRe];
      [baseRe, baseIm] = [baseRe * baseRe - baseIm * baseIm, 2 * baseRe * baseIm];
    }
    [re[i], im[i]] = [resultRe, resultIm];
  }
}

function reorder(values: Float64Array): void {
  const length = values.length;
  for (let i = 1, j = 0; i < length; i++) {
    let bit = length >> 1;
    for (; (j & bit) !== 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) [values[i], values[j]] = [values[j]!, values[i]!];
  }
}
