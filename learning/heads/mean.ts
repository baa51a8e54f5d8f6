/** Of arrays of one length, value by value. */
export function meanOf(arrays: readonly Float32Array[]): Float32Array {
  return Float32Array.from(arrays[0]!, (_, i) => arrays.reduce((sum, array) => sum + array[i]!, 0) / arrays.length);
}
