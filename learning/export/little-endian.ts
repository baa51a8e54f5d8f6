/** Numbers as files hold them, four bytes each, the lowest first. */
export function littleEndian(values: Float32Array): Uint8Array {
  const raw = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, i) => raw.setFloat32(i * 4, value, true));
  return new Uint8Array(raw.buffer);
}
