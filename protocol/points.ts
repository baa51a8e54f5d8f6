/**
 * Points of BN254: plain affine coordinates, checked before use. Infinity is (0, 0), as the EVM writes it (EIP-196).
 */
import { bn254 } from "@noble/curves/bn254.js";
import { VerisumError } from "./errors.ts";
import { BASE_FIELD_ORDER, FIELD_ORDER } from "./parameters.ts";

/** An affine point of G1; (0, 0) is infinity. */
export interface G1 {
  readonly x: bigint;
  readonly y: bigint;
}

/** An affine point of G2 over Fp2, c0 + c1·u; all zero is infinity. */
export interface G2 {
  readonly x: { readonly c0: bigint; readonly c1: bigint };
  readonly y: { readonly c0: bigint; readonly c1: bigint };
}

type NobleG1 = InstanceType<typeof bn254.G1.Point>;
type NobleG2 = InstanceType<typeof bn254.G2.Point>;

export const G1_INFINITY: G1 = { x: 0n, y: 0n };
export const G1_GENERATOR: G1 = { x: 1n, y: 2n };
export const G2_GENERATOR: G2 = fromNobleG2(bn254.G2.Point.BASE);

export function isInfinity(point: G1): boolean {
  return point.x === 0n && point.y === 0n;
}

/** @throws POINT_NOT_ON_CURVE if the coordinates are not canonical or off the curve. */
export function toNobleG1(point: G1): NobleG1 {
  if (isInfinity(point)) return bn254.G1.Point.ZERO;
  // This object keeps multiples of itself, with which it is multiplied many times as fast.
  if (equalG1(point, G1_GENERATOR)) return bn254.G1.Point.BASE;
  assertCanonical([point.x, point.y]);
  return checked(() => {
    const result = bn254.G1.Point.fromAffine({ x: point.x, y: point.y });
    result.assertValidity();
    return result;
  });
}

/**
 * Points of G2 last found valid, by their coordinates, the latest at the end. Those of a task's keys come again with
 * every proof, and to find out that one is in the subgroup costs as much as a pairing.
 */
const validG2 = new Map<string, NobleG2>();
const VALID_G2_KEPT = 64;

/** @throws POINT_NOT_ON_CURVE if off the curve or outside the subgroup of order r. */
export function toNobleG2(point: G2): NobleG2 {
  const { x, y } = point;
  if (x.c0 === 0n && x.c1 === 0n && y.c0 === 0n && y.c1 === 0n) return bn254.G2.Point.ZERO;
  const key = [x.c0, x.c1, y.c0, y.c1].map((coordinate) => coordinate.toString(16)).join();
  const valid = validG2.get(key) ?? validNobleG2(point);
  validG2.delete(key);
  validG2.set(key, valid);
  if (validG2.size > VALID_G2_KEPT) validG2.delete(validG2.keys().next().value!);
  return valid;
}

function validNobleG2({ x, y }: G2): NobleG2 {
  assertCanonical([x.c0, x.c1, y.c0, y.c1]);
  return checked(() => {
    const result = bn254.G2.Point.fromAffine({ x, y });
    // The subgroup as well.
    result.assertValidity();
    return result;
  });
}

export function fromNobleG1(point: NobleG1): G1 {
  if (point.is0()) return G1_INFINITY;
  const { x, y } = point.toAffine();
  return { x, y };
}

export function fromNobleG2(point: NobleG2): G2 {
  if (point.is0()) return { x: { c0: 0n, c1: 0n }, y: { c0: 0n, c1: 0n } };
  const { x, y } = point.toAffine();
  return { x: { c0: x.c0, c1: x.c1 }, y: { c0: y.c0, c1: y.c1 } };
}

export function addG1(a: G1, b: G1): G1 {
  return fromNobleG1(toNobleG1(a).add(toNobleG1(b)));
}

export function negateG1(point: G1): G1 {
  return isInfinity(point) ? point : { x: point.x, y: BASE_FIELD_ORDER - point.y };
}

export function multiplyG1(point: G1, scalar: bigint): G1 {
  const reduced = ((scalar % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;
  return reduced === 0n ? G1_INFINITY : fromNobleG1(toNobleG1(point).multiplyUnsafe(reduced));
}

export function multiplyG2(point: G2, scalar: bigint): G2 {
  const reduced = ((scalar % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;
  return fromNobleG2(reduced === 0n ? bn254.G2.Point.ZERO : toNobleG2(point).multiplyUnsafe(reduced));
}

export function negateG2(point: G2): G2 {
  return fromNobleG2(toNobleG2(point).negate());
}

export function equalG1(a: G1, b: G1): boolean {
  return a.x === b.x && a.y === b.y;
}

export function equalG2(a: G2, b: G2): boolean {
  return a.x.c0 === b.x.c0 && a.x.c1 === b.x.c1 && a.y.c0 === b.y.c0 && a.y.c1 === b.y.c1;
}

/** Σ w_i·P_i for a few points and small integer weights. */
export function weightedSumG1(points: readonly G1[], weights: readonly bigint[]): G1 {
  let sum = bn254.G1.Point.ZERO;
  for (let i = 0; i < points.length; i++) {
    const weight = weights[i]!;
    if (weight !== 0n)
      sum = sum.add(toNobleG1(points[i]!).multiplyUnsafe(((weight % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER));
  }
  return fromNobleG1(sum);
}

/** True if Π e(P_i, Q_i) = 1. Pairs with infinity count as 1. */
export function pairingProductIsOne(pairs: readonly { readonly g1: G1; readonly g2: G2 }[]): boolean {
  const proper = pairs
    .map(({ g1, g2 }) => ({ g1: toNobleG1(g1), g2: toNobleG2(g2) }))
    .filter(({ g1, g2 }) => !g1.is0() && !g2.is0());
  if (proper.length === 0) return true;
  const product = bn254.pairingBatch(proper);
  return bn254.fields.Fp12.eql(product, bn254.fields.Fp12.ONE);
}

function assertCanonical(coordinates: readonly bigint[]): void {
  for (const coordinate of coordinates) {
    if (coordinate < 0n || coordinate >= BASE_FIELD_ORDER) {
      throw new VerisumError("POINT_NOT_ON_CURVE", "a coordinate is not below the base field's order");
    }
  }
}

function checked<T>(build: () => T): T {
  try {
    return build();
  } catch (cause) {
    throw new VerisumError("POINT_NOT_ON_CURVE", "coordinates do not name a point of the group", {}, { cause });
  }
}
