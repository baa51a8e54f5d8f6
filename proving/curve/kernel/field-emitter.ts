/**
 * Emits arithmetic modulo a 254-bit prime on two elements at once, one in each 64-bit lane.
 *
 * An element is five floats, the limbs of a signed number in radix 2^51, standing for x·2^255 (Montgomery's form). A
 * product of limbs is split exactly into multiples of 2^51 and a rest by two fused multiply-adds with constants that
 * fix the exponent (Emmart, "Faster modular exponentiation using double precision floating point arithmetic on the
 * GPU", ARITH 2018): the float's bits are then the integer plus a constant, and columns are summed as integers.
 * Reduction is Montgomery's, a limb a row, with quotient digits in ±2^50.
 *
 * Bounds, in multiples of the prime p < 0.378·2^255: |a·b| comes out within 0.378·|a|·|b| + 0.5. Limbs of results are
 * within ±2^50, so that differences of two results, within ±2^51, may be multiplied with each other.
 */
import { f64x2, i32, i64x2, v128 } from "./wasm-encoder.ts";
import type { Code, FunctionBuilder } from "./wasm-encoder.ts";

export const LIMBS = 5;
export const LIMB_BITS = 51;
const COLUMNS = 2 * LIMBS;
/** 1.5·2^103: a sum with a product below 2^102 is rounded to a multiple of 2^51. */
const HIGH = 1.5 * 2 ** 103;
/** 1.5·2^52: a sum with an integer below 2^51 has that integer in its low bits. */
const LOW = 1.5 * 2 ** 52;
/** Makes columns positive before they are shifted; below their 2^63 and above their sums' 2^55. */
const BIAS = 1n << 60n;
const HALF_LIMB = 1n << 50n;

/** An element: one operand per limb. */
export type Element = readonly Code[];

type Constant = number | bigint;

/** A factor pair of one row: limbs a and b, added at column row + b's index. */
interface Term {
  readonly a: Code;
  readonly b: Code;
  readonly column: number;
}

/** Arithmetic on a point's coordinates, in both lanes. */
export interface CoordinateField {
  /** Elements of the prime field in one of this field. */
  readonly components: number;
  multiply(f: FunctionBuilder, a: Element, b: Element): Element;
  /** The square of a result. */
  square(f: FunctionBuilder, a: Element): Element;
  add(f: FunctionBuilder, a: Element, b: Element): Element;
  subtract(f: FunctionBuilder, a: Element, b: Element): Element;
  /** The same residue, as small as it gets. */
  reduce(f: FunctionBuilder, a: Element): Element;
  /** A product of two products, made small enough to be a factor again where it is not. */
  settle(f: FunctionBuilder, a: Element): Element;
}

/** Emits field code; the constants it uses must be at the start of the module's memory. */
export class FieldEmitter implements CoordinateField {
  readonly components = 1;
  private readonly constants = new Map<Constant, number>();
  private readonly locals = new Map<FunctionBuilder, Map<Constant, Code>>();
  private readonly prime: readonly number[];
  private readonly negatedInverse: number;
  private readonly topPerPrime: number;
  private readonly base: number;

  /** @param base address of the constants */
  constructor(prime: bigint, base: number) {
    this.base = base;
    this.prime = balancedLimbs(prime);
    this.negatedInverse = balancedLimbs(inverseModuloLimb(-prime))[0]!;
    this.topPerPrime = 2 ** (LIMB_BITS * (LIMBS - 1)) / Number(prime);
  }

  /** Limbs of the modulus. */
  get orderLimbs(): readonly bigint[] {
    return this.prime.map(BigInt);
  }

  /** The constants' bytes, complete once all code is emitted. */
  get constantBytes(): Uint8Array {
    const view = new DataView(new ArrayBuffer(this.constants.size * 16));
    for (const [value, address] of this.constants) {
      for (const lane of [0, 8]) {
        if (typeof value === "bigint") view.setBigUint64(address - this.base + lane, value, true);
        else view.setFloat64(address - this.base + lane, value, true);
      }
    }
    return new Uint8Array(view.buffer);
  }

  multiply(f: FunctionBuilder, a: Element, b: Element): Element {
    return this.sumOfProducts(f, [[a, b]]);
  }

  /** Σ a·b with one reduction: within 0.378·Σ|a|·|b| + 0.5, for up to four products. */
  sumOfProducts(f: FunctionBuilder, products: readonly (readonly [Element, Element])[]): Element {
    return this.product(
      f,
      Array.from({ length: LIMBS }, (_, i) =>
        products.flatMap(([a, b]) => b.map((right, j) => ({ a: a[i]!, b: right, column: i + j }))),
      ),
    );
  }

  /** The square of a result (limbs within ±2^50). */
  square(f: FunctionBuilder, a: Element): Element {
    const doubled = a.map((limb) => f.let("v128", f64x2.add(limb, limb)));
    return this.product(
      f,
      a.map((left, i) =>
        a.slice(i).map((right, k) => ({ a: left, b: k === 0 ? right : doubled[i + k]!, column: 2 * i + k })),
      ),
    );
  }

  subtract(f: FunctionBuilder, a: Element, b: Element): Element {
    return a.map((limb, i) => f.let("v128", f64x2.sub(limb, b[i]!)));
  }

  add(f: FunctionBuilder, a: Element, b: Element): Element {
    return a.map((limb, i) => f.let("v128", f64x2.add(limb, b[i]!)));
  }

  negate(f: FunctionBuilder, a: Element): Element {
    return a.map((limb) => f.let("v128", v128.xor(limb, this.constant(f, 1n << 63n))));
  }

  /**
   * The same residue within ±(p/2)(1 + 2^-40) and in limbs within ±2^50, for numbers within ±7·p and limbs within
   * ±2^52: the sum of 7 times a limb of p and such a limb is below 2^53, up to where the multiply-add is exact.
   */
  reduce(f: FunctionBuilder, a: Element): Element {
    const multiple = f.let("v128", f64x2.nearest(f64x2.mul(a[LIMBS - 1]!, this.constant(f, -this.topPerPrime))));
    const limbs = a.map((limb, i) =>
      f.let("v128", f64x2.relaxedMultiplyAdd(multiple, this.constant(f, this.prime[i]!), limb)),
    );
    for (let i = 0; i < LIMBS - 1; i++) {
      const carry = f.let("v128", f64x2.sub(f64x2.add(limbs[i]!, this.constant(f, HIGH)), this.constant(f, HIGH)));
      f.set(limbs[i]!, f64x2.sub(limbs[i]!, carry));
      f.set(limbs[i + 1]!, f64x2.relaxedMultiplyAdd(carry, this.constant(f, 2 ** -LIMB_BITS), limbs[i + 1]!));
    }
    return limbs;
  }

  settle(_f: FunctionBuilder, a: Element): Element {
    return a;
  }

  /** A constant in both lanes; loaded once per call of the function, which is a register or a stack slot then. */
  constant(f: FunctionBuilder, value: Constant): Code {
    const locals = this.locals.get(f) ?? new Map<Constant, Code>();
    this.locals.set(f, locals);
    const address = this.constants.get(value) ?? this.base + this.constants.size * 16;
    this.constants.set(value, address);
    const local = locals.get(value) ?? f.letAtStart("v128", v128.load(address, i32.const(0)));
    locals.set(value, local);
    return local;
  }

  private product(f: FunctionBuilder, rows: readonly (readonly Term[])[]): Element {
    const t = this.columnStarts(rows).map((start) => f.let("v128", this.constant(f, start)));
    const [inverse, high] = [this.constant(f, this.negatedInverse), this.constant(f, HIGH)];
    rows.forEach((terms, row) => {
      for (const term of terms) this.accumulate(f, t, term);
      const low = f.let("v128", this.lowLimb(f, t[row]!, 2 ** 52));
      const digit = f.let(
        "v128",
        f64x2.relaxedMultiplyAdd(low, inverse, f64x2.sub(high, f64x2.relaxedMultiplyAdd(low, inverse, high))),
      );
      this.prime.forEach((limb, j) => this.accumulate(f, t, { a: digit, b: this.constant(f, limb), column: row + j }));
      f.set(t[row + 1]!, i64x2.add(t[row + 1]!, i64x2.shiftRight(t[row]!, i32.const(LIMB_BITS))));
    });
    return this.toLimbs(f, t.slice(LIMBS));
  }

  /** The low 51 bits of an integer, as a float from 2^52 − `origin`. */
  private lowLimb(f: FunctionBuilder, column: Code, origin: number): Code {
    return f64x2.sub(
      v128.or(v128.and(column, this.constant(f, (1n << 51n) - 1n)), this.constant(f, 2 ** 52)),
      this.constant(f, origin),
    );
  }

  private accumulate(f: FunctionBuilder, t: readonly Code[], { a, b, column }: Term): void {
    const high = f.let("v128", f64x2.relaxedMultiplyAdd(a, b, this.constant(f, HIGH)));
    const low = f64x2.relaxedMultiplyAdd(a, b, f64x2.sub(this.constant(f, HIGH + LOW), high));
    f.set(t[column]!, i64x2.add(t[column]!, low));
    f.set(t[column + 1]!, i64x2.add(t[column + 1]!, high));
  }

  /** What each column starts with, so that the bits of the float constants cancel and the bias is left. */
  private columnStarts(rows: readonly (readonly Term[])[]): bigint[] {
    const starts = Array.from({ length: COLUMNS }, () => 0n);
    const terms = [
      ...rows.flat(),
      ...Array.from({ length: LIMBS * LIMBS }, (_, k) => ({ column: Math.floor(k / LIMBS) + (k % LIMBS) })),
    ];
    for (const { column } of terms) {
      starts[column]! -= bitsOf(LOW);
      starts[column + 1]! -= bitsOf(HIGH);
    }
    return starts.map((start, column) => {
      const carried = column === 0 ? 0n : BIAS >> BigInt(LIMB_BITS);
      const own = column === COLUMNS - 1 ? bitsOf(LOW) : column < LIMBS ? BIAS : BIAS + HALF_LIMB;
      return BigInt.asUintN(64, start + own - carried);
    });
  }

  /** Carries the upper columns and makes floats within ±2^50 of them. */
  private toLimbs(f: FunctionBuilder, t: readonly Code[]): Element {
    for (let i = 0; i < LIMBS - 1; i++)
      f.set(t[i + 1]!, i64x2.add(t[i + 1]!, i64x2.shiftRight(t[i]!, i32.const(LIMB_BITS))));
    return t.map((column, i) =>
      f.let(
        "v128",
        i === LIMBS - 1 ? f64x2.sub(column, this.constant(f, LOW)) : this.lowLimb(f, column, 2 ** 52 + 2 ** 50),
      ),
    );
  }
}

/** Limbs within ±2^50 of a number; the top one takes what is left. */
export function balancedLimbs(value: bigint): number[] {
  const limbs: number[] = [];
  for (let i = 0; i < LIMBS - 1; i++) {
    const limb = BigInt.asIntN(LIMB_BITS, value);
    limbs.push(Number(limb));
    value = (value - limb) >> BigInt(LIMB_BITS);
  }
  return [...limbs, Number(value)];
}

/** value^-1 mod 2^51, of an odd value, by Newton's iteration. */
function inverseModuloLimb(value: bigint): bigint {
  let inverse = 1n;
  for (let bits = 1; bits < LIMB_BITS; bits *= 2) inverse = BigInt.asIntN(LIMB_BITS, inverse * (2n - value * inverse));
  return inverse;
}

/** The bits of a float. */
export function bitsOf(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}
