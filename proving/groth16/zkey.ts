/** Proving keys in snarkjs's .zkey format (Groth16). */
import { MONTGOMERY_RADIX, SCALAR_BYTES, writeScalar } from "../curve/bn254.ts";
import { multiply } from "../../protocol/field.ts";
import { BASE_FIELD_ORDER, FIELD_ORDER } from "../../protocol/parameters.ts";
import { writeSections } from "./binary-file.ts";
import type { ConstraintSystem } from "./r1cs.ts";

/** Section numbers of the format. */
export const ZKEY_SECTION = {
  protocol: 1,
  header: 2,
  publicBases: 3,
  coefficients: 4,
  a: 5,
  b1: 6,
  b2: 7,
  c: 8,
  h: 9,
  contributions: 10,
} as const;

const GROTH16_PROTOCOL = 1;
const COEFFICIENT_BYTES = 12 + SCALAR_BYTES;

/** Every point as the engine's affine bytes; infinity is all zero. */
export interface ZkeyPoints {
  readonly alpha1: Uint8Array;
  readonly beta1: Uint8Array;
  readonly beta2: Uint8Array;
  readonly gamma2: Uint8Array;
  readonly delta1: Uint8Array;
  readonly delta2: Uint8Array;
  /** Bases of the constant and the public wires. */
  readonly publicBases: Uint8Array;
  readonly a: Uint8Array;
  readonly b1: Uint8Array;
  readonly b2: Uint8Array;
  /** Bases over delta of the private wires in order, infinity for the committed ones. */
  readonly c: Uint8Array;
  readonly h: Uint8Array;
}

/** The file for `system`, whose rows must be oriented as the points were made. */
export function writeZkey(system: ConstraintSystem, domainSize: number, points: ZkeyPoints): Uint8Array {
  return writeSections("zkey", [
    [ZKEY_SECTION.protocol, protocolSection()],
    [ZKEY_SECTION.header, headerSection(system, domainSize, points)],
    [ZKEY_SECTION.publicBases, points.publicBases],
    [ZKEY_SECTION.coefficients, coefficientSection(system)],
    [ZKEY_SECTION.a, points.a],
    [ZKEY_SECTION.b1, points.b1],
    [ZKEY_SECTION.b2, points.b2],
    [ZKEY_SECTION.c, points.c],
    [ZKEY_SECTION.h, points.h],
    // No transcript: the circuit's hash is left zero and there are no contributions.
    [ZKEY_SECTION.contributions, new Uint8Array(64 + 4)],
  ]);
}

/** That the key is one of Groth16. */
export function protocolSection(): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, GROTH16_PROTOCOL, true);
  return bytes;
}

/** The header's beginning: widths and orders of BN254's two fields. */
export function headerFields(): Uint8Array {
  const bytes = new Uint8Array(2 * (4 + SCALAR_BYTES));
  const view = new DataView(bytes.buffer);
  [BASE_FIELD_ORDER, FIELD_ORDER].forEach((order, k) => {
    view.setUint32(k * (4 + SCALAR_BYTES), SCALAR_BYTES, true);
    writeScalar(view, k * (4 + SCALAR_BYTES) + 4, order);
  });
  return bytes;
}

function headerSection(system: ConstraintSystem, domainSize: number, points: ZkeyPoints): Uint8Array {
  const ordered = [points.alpha1, points.beta1, points.beta2, points.gamma2, points.delta1, points.delta2];
  const fields = headerFields();
  const numbersBytes = fields.length + 12;
  const bytes = new Uint8Array(numbersBytes + ordered.reduce((sum, point) => sum + point.length, 0));
  const view = new DataView(bytes.buffer);
  bytes.set(fields);
  view.setUint32(72, system.wireCount, true);
  view.setUint32(76, system.publicCount, true);
  view.setUint32(80, domainSize, true);
  let at = numbersBytes;
  for (const point of ordered) {
    bytes.set(point, at);
    at += point.length;
  }
  return bytes;
}

/** Entries of A and B by row, times the square of the Montgomery radix as the format has them, then the public rows. */
export function coefficientSection(system: ConstraintSystem): Uint8Array {
  const count = system.a.wire.length + system.b.wire.length + system.publicCount + 1;
  const bytes = new Uint8Array(4 + count * COEFFICIENT_BYTES);
  const view = new DataView(bytes.buffer);
  const radixSquared = multiply(MONTGOMERY_RADIX, MONTGOMERY_RADIX);
  view.setUint32(0, count, true);
  let at = 4;
  const entry = (matrix: 0 | 1, row: number, wire: number, coefficient: bigint): void => {
    view.setUint32(at, matrix, true);
    view.setUint32(at + 4, row, true);
    view.setUint32(at + 8, wire, true);
    writeScalar(view, at + 12, multiply(coefficient, radixSquared));
    at += COEFFICIENT_BYTES;
  };
  for (let row = 0; row < system.constraintCount; row++) {
    for (const [index, matrix] of [system.a, system.b].entries()) {
      for (let k = matrix.rowStart[row]!; k < matrix.rowStart[row + 1]!; k++)
        entry(index as 0 | 1, row, matrix.wire[k]!, matrix.coefficient[k]!);
    }
  }
  for (let s = 0; s <= system.publicCount; s++) entry(0, system.constraintCount + s, s, 1n);
  return bytes;
}
