/** BN254 in WebAssembly: conversions between plain points and the engine's little-endian Montgomery bytes. */
import { getCurveFromName } from "ffjavascript";
import type { WasmCurve } from "ffjavascript";
import { FIELD_ORDER } from "../../protocol/parameters.ts";
import { G1_INFINITY } from "../../protocol/points.ts";
import type { G1, G2 } from "../../protocol/points.ts";

/** Bytes of an affine point as the engine and snarkjs's files hold it. */
export const G1_BYTES = 64;
export const G2_BYTES = 128;
/** Bytes of a scalar, little-endian. */
export const SCALAR_BYTES = 32;

const MASK_64 = (1n << 64n) - 1n;

let threadless: Promise<WasmCurve> | undefined;
let engineCode: Uint8Array | undefined;

/** An engine without threads, for work in its memory directly. It keeps nothing alive. */
export function openThreadlessCurve(): Promise<WasmCurve> {
  threadless ??= openEngine(true);
  return threadless;
}

/**
 * ffjavascript's engine; with threads, the one that the process shares. Making its module takes a third of a second of
 * computing each time, so the first one's is kept.
 */
export function openEngine(isThreadless: boolean): Promise<WasmCurve> {
  return getCurveFromName("bn128", isThreadless, (builder) => void (engineCode ??= builder.build()));
}

/** The engine's WebAssembly module, of whichever engine was opened first; opens one without threads if none was. */
export async function engineModule(): Promise<Uint8Array> {
  if (engineCode === undefined) await openThreadlessCurve();
  return engineCode!;
}

/** An affine or Jacobian point of the engine as plain coordinates. */
export function g1FromEngine(curve: WasmCurve, point: Uint8Array): G1 {
  if (curve.G1.isZero(point)) return G1_INFINITY;
  const [x, y] = curve.G1.toObject(curve.G1.toAffine(point)) as [bigint, bigint];
  return { x, y };
}

/** An affine or Jacobian point of the engine as plain coordinates. */
export function g2FromEngine(curve: WasmCurve, point: Uint8Array): G2 {
  if (curve.G2.isZero(point)) return { x: { c0: 0n, c1: 0n }, y: { c0: 0n, c1: 0n } };
  const [x, y] = curve.G2.toObject(curve.G2.toAffine(point)) as [[bigint, bigint], [bigint, bigint]];
  return { x: { c0: x[0], c1: x[1] }, y: { c0: y[0], c1: y[1] } };
}

/** The engine's affine bytes of a point. Not checked to be on the curve. */
export function g1ToEngine(curve: WasmCurve, point: G1): Uint8Array {
  if (point.x === 0n && point.y === 0n) return curve.G1.zeroAffine;
  return curve.G1.fromObject([point.x, point.y]);
}

/** The engine's affine bytes of a point. Not checked to be on the curve. */
export function g2ToEngine(curve: WasmCurve, point: G2): Uint8Array {
  if (point.x.c0 === 0n && point.x.c1 === 0n && point.y.c0 === 0n && point.y.c1 === 0n) return curve.G2.zeroAffine;
  return curve.G2.fromObject([
    [point.x.c0, point.x.c1],
    [point.y.c0, point.y.c1],
    [1n, 0n],
  ]);
}

/** Scalars as consecutive 32-byte little-endian words, not in Montgomery form. */
export function encodeScalars(scalars: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(scalars.length * SCALAR_BYTES);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < scalars.length; i++) {
    const value = scalars[i]!;
    if (value >= 0n && value <= 0xffff_ffffn) view.setUint32(i * SCALAR_BYTES, Number(value), true);
    else writeScalar(view, i * SCALAR_BYTES, value);
  }
  return bytes;
}

/** Writes one canonical scalar little-endian. */
export function writeScalar(view: DataView, at: number, value: bigint): void {
  view.setBigUint64(at, value & MASK_64, true);
  view.setBigUint64(at + 8, (value >> 64n) & MASK_64, true);
  view.setBigUint64(at + 16, (value >> 128n) & MASK_64, true);
  view.setBigUint64(at + 24, value >> 192n, true);
}

/** Reads one little-endian scalar. */
export function readScalar(view: DataView, at: number): bigint {
  return (
    view.getBigUint64(at, true) |
    (view.getBigUint64(at + 8, true) << 64n) |
    (view.getBigUint64(at + 16, true) << 128n) |
    (view.getBigUint64(at + 24, true) << 192n)
  );
}

/** 2^256 mod r: the engine's Montgomery radix of the scalar field. */
export const MONTGOMERY_RADIX = (1n << 256n) % FIELD_ORDER;
