/** The quadratic arithmetic program of a constraint system, evaluated at a known point (Groth16, ePrint 2016/260). */
import { invertAll, multiply, power } from "../../protocol/field.ts";
import { FIELD_ORDER } from "../../protocol/parameters.ts";
import type { ConstraintSystem, SparseMatrix } from "./r1cs.ts";

/** 5 generates the non-residues that the engine's and circom's roots of unity come from. */
const GENERATOR = 5n;
const TWO_ADICITY = 28n;

/** u_i, v_i, w_i of every wire i, and the bases of the quotient, at tau. */
export interface QapValues {
  readonly domainSize: number;
  readonly u: readonly bigint[];
  readonly v: readonly bigint[];
  readonly w: readonly bigint[];
  /** Lagrange polynomials of the odd points of the domain of twice the size: snarkjs's basis of A·B − C. */
  readonly quotient: readonly bigint[];
}

/** log2 of the smallest domain that holds every constraint and one row per public wire, as snarkjs chooses it. */
export function domainBitsFor(system: ConstraintSystem): number {
  return Math.ceil(Math.log2(system.constraintCount + system.publicCount + 1));
}

/** A primitive root of unity of order 2^bits. */
export function rootOfUnity(bits: number): bigint {
  const primitive = power(GENERATOR, (FIELD_ORDER - 1n) >> TWO_ADICITY);
  return power(primitive, 1n << (TWO_ADICITY - BigInt(bits)));
}

/**
 * Evaluates the program at tau. Row `constraintCount + s` of A is public wire s alone, which makes the u_s independent.
 */
export function evaluateQap(system: ConstraintSystem, tau: bigint): QapValues {
  const bits = domainBitsFor(system);
  const domainSize = 2 ** bits;
  const lagrange = lagrangeAt(tau, bits, 0, 1, domainSize);
  const u = columnValues(system.a, system, lagrange);
  for (let s = 0; s <= system.publicCount; s++) u[s] = (u[s]! + lagrange[system.constraintCount + s]!) % FIELD_ORDER;
  return {
    domainSize,
    u,
    v: columnValues(system.b, system, lagrange),
    w: columnValues(system.c, system, lagrange),
    quotient: lagrangeAt(tau, bits + 1, 1, 2, domainSize),
  };
}

/** L_j(tau) over the domain of order 2^bits for j = first, first + step, …: (tau^n − 1)/n · ω^j/(tau − ω^j). */
function lagrangeAt(tau: bigint, bits: number, first: number, step: number, count: number): bigint[] {
  const size = 1n << BigInt(bits);
  const root = rootOfUnity(bits);
  const stride = power(root, BigInt(step));
  const points = new Array<bigint>(count);
  let point = power(root, BigInt(first));
  for (let k = 0; k < count; k++) {
    points[k] = point;
    point = multiply(point, stride);
  }
  const vanishing = (power(tau, size) + FIELD_ORDER - 1n) % FIELD_ORDER;
  const inverses = invertAll([size, ...points.map((at) => (tau - at + FIELD_ORDER) % FIELD_ORDER)]);
  const scale = multiply(vanishing, inverses[0]!);
  return points.map((at, k) => multiply(multiply(scale, at), inverses[k + 1]!));
}

function columnValues(matrix: SparseMatrix, system: ConstraintSystem, lagrange: readonly bigint[]): bigint[] {
  const sums = new Array<bigint>(system.wireCount).fill(0n);
  for (let row = 0; row < system.constraintCount; row++) {
    for (let k = matrix.rowStart[row]!; k < matrix.rowStart[row + 1]!; k++) {
      sums[matrix.wire[k]!]! += matrix.coefficient[k]! * lagrange[row]!;
    }
  }
  return sums.map((sum) => sum % FIELD_ORDER);
}
