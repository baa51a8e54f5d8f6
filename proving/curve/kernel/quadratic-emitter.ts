/**
 * Emits arithmetic in Fp[i], i² = −1, over the prime field's emitter: an element is c0 + c1·i, its ten limbs those of
 * c0 before those of c1.
 *
 * A product takes four products of limbs and two reductions. Karatsuba's three products with a reduction each take as
 * many multiply-adds, since a reduction costs as much as a product here, and more additions and wider limbs.
 *
 * Bounds, in multiples of p for the larger component: |a·b| comes out within 0.756·|a|·|b| + 0.5, and |a²| within
 * 1.51·|a|² + 0.5. A running product of factors within 1 stays within 2.05; limbs of such are below 2^50.7, and of
 * differences of reduced elements within 2^51, so that a product of two limbs is below 2^102.
 */
import { LIMBS } from "./field-emitter.ts";
import type { CoordinateField, Element, FieldEmitter } from "./field-emitter.ts";
import type { FunctionBuilder } from "./wasm-encoder.ts";

export class QuadraticEmitter implements CoordinateField {
  readonly components = 2;
  private readonly base: FieldEmitter;

  constructor(base: FieldEmitter) {
    this.base = base;
  }

  multiply(f: FunctionBuilder, a: Element, b: Element): Element {
    const [[a0, a1], [b0, b1]] = [halves(a), halves(b)];
    const { base } = this;
    return [
      ...base.sumOfProducts(f, [
        [a0, b0],
        [base.negate(f, a1), b1],
      ]),
      ...base.sumOfProducts(f, [
        [a0, b1],
        [a1, b0],
      ]),
    ];
  }

  /** (c0 + c1)(c0 − c1) + 2·c0·c1·i; limbs within ±2^50. */
  square(f: FunctionBuilder, a: Element): Element {
    const [c0, c1] = halves(a);
    const { base } = this;
    return [
      ...base.multiply(f, base.add(f, c0, c1), base.subtract(f, c0, c1)),
      ...base.multiply(f, base.add(f, c0, c0), c1),
    ];
  }

  add(f: FunctionBuilder, a: Element, b: Element): Element {
    return this.base.add(f, a, b);
  }

  subtract(f: FunctionBuilder, a: Element, b: Element): Element {
    return this.base.subtract(f, a, b);
  }

  reduce(f: FunctionBuilder, a: Element): Element {
    return halves(a).flatMap((component) => this.base.reduce(f, component));
  }

  settle(f: FunctionBuilder, a: Element): Element {
    return this.reduce(f, a);
  }

  /** c0² + c1², the element's product with its conjugate. */
  norm(f: FunctionBuilder, a: Element): Element {
    const [c0, c1] = halves(a);
    return this.base.sumOfProducts(f, [
      [c0, c0],
      [c1, c1],
    ]);
  }

  /** (c0 − c1·i)·factor, for a factor of the prime field. */
  scaleConjugate(f: FunctionBuilder, a: Element, factor: Element): Element {
    const [c0, c1] = halves(a);
    return [...this.base.multiply(f, c0, factor), ...this.base.multiply(f, this.base.negate(f, c1), factor)];
  }
}

function halves(a: Element): [Element, Element] {
  return [a.slice(0, LIMBS), a.slice(LIMBS)];
}
