/**
 * Affine additions that share one inversion (Montgomery, "Speeding the Pollard and elliptic curve methods of
 * factorization", 1987): 5 multiplications and a square each. The formula divides by x_b − x_a, so a batch whose
 * product of those is zero is taken apart first: equal points go to the tangent's formula, opposite ones give infinity.
 * Every input is exact.
 */
import { LIMB_BITS, LIMBS } from "./field-emitter.ts";
import type { PointMemory } from "./point-memory.ts";
import { BASE_FIELD_ORDER, NEGATED, PAIR_BYTES } from "./point-module.ts";
import { ELEMENT_BYTES } from "./twin-code.ts";

/** Many additions make an inversion cheap; these fit a processor's second-level cache. */
const PAIRS = 2048;
const WORDS_PER_PAIR = PAIR_BYTES / 4;
const LIMB = 2 ** LIMB_BITS;
const LOW_LIMB_OF_P = Number(BASE_FIELD_ORDER % BigInt(LIMB));

/** Pairs waiting to be added. A pair's sum may overwrite its points, and is there after `flush`. */
export class AdditionBatch {
  /** True once a sum may be infinity, which the caller must then keep out of pairs. */
  metInfinity = false;
  private readonly kernel: PointMemory;
  private readonly pairs: number;
  private readonly differences: number;
  private readonly prefixes: number;
  private readonly twins: number;
  private readonly fillers: number;
  private count = 0;

  constructor(kernel: PointMemory) {
    this.kernel = kernel;
    this.pairs = kernel.allocate(PAIRS * PAIR_BYTES);
    this.differences = kernel.allocate((PAIRS / 2) * kernel.twinBytes);
    this.prefixes = kernel.allocate((PAIRS / 2) * kernel.twinBytes);
    this.twins = kernel.allocate(2 * kernel.twinBytes);
    // Two "points" with different x, and room for their sum: they fill the last step's second lane.
    this.fillers = kernel.allocate(3 * kernel.slotBytes);
    kernel.floats[this.fillers / 8] = 1;
    kernel.floats[(this.fillers + kernel.coordinateBytes) / 8] = 1;
  }

  /** Adds a and b, neither of them infinity. Addresses may have `NEGATED`, the sum's not. */
  push(a: number, b: number, sum: number): void {
    const at = this.pairs / 4 + this.count * WORDS_PER_PAIR;
    const { words } = this.kernel;
    words[at] = a;
    words[at + 1] = b;
    words[at + 2] = sum;
    if (++this.count === PAIRS) this.flush();
  }

  flush(): void {
    if (this.count === 0) return;
    if (this.run(this.count, "chords", "addChords")) {
      this.count = 0;
      return;
    }
    const tangents = this.separate();
    if (!this.run(this.count, "chords", "addChords"))
      throw new RangeError("a pair with equal x is left among the chords");
    this.count = tangents.length / WORDS_PER_PAIR;
    this.kernel.words.set(tangents, this.pairs / 4);
    if (!this.run(this.count, "tangents", "addTangents"))
      throw new RangeError("a point of order two is not on the curve");
    this.count = 0;
  }

  /** Adds the first pairs, if no denominator is zero. */
  private run(count: number, denominators: "chords" | "tangents", sums: "addChords" | "addTangents"): boolean {
    const { kernel, pairs, differences, prefixes } = this;
    const { exports } = kernel;
    if (count === 0) return true;
    const end = pairs / 4 + count * WORDS_PER_PAIR;
    // A full batch is even, so that an odd one has room for the filler.
    if (count % 2 === 1)
      kernel.words.set([this.fillers, this.fillers + kernel.slotBytes, this.fillers + 2 * kernel.slotBytes], end);
    const steps = (count + 1) >> 1;
    const [product, inverse] = [this.twins, this.twins + kernel.twinBytes];
    kernel.setOne(product);
    exports[denominators](pairs, steps, differences, prefixes, product);
    if (kernel.isZeroLane(product, 0) || kernel.isZeroLane(product, 1)) return false;
    kernel.invert(inverse, product);
    exports[sums](pairs, steps, differences, prefixes, inverse);
    return true;
  }

  /** Leaves the pairs with different x in the batch, settles opposite points and returns the pairs of equal ones. */
  private separate(): number[] {
    const { words, coordinateBytes, slotBytes } = this.kernel;
    const tangents: number[] = [];
    let kept = this.pairs / 4;
    for (let at = kept; at < this.pairs / 4 + this.count * WORDS_PER_PAIR; at += WORDS_PER_PAIR) {
      const [a, b, sum] = [words[at]!, words[at + 1]!, words[at + 2]!];
      if (!this.sameCoordinate(a, b, 0, 1)) {
        words.copyWithin(kept, at, at + WORDS_PER_PAIR);
        kept += WORDS_PER_PAIR;
      } else if (this.sameCoordinate(a, b, coordinateBytes, ((a ^ b) & NEGATED) === 0 ? 1 : -1)) {
        tangents.push(a, b, sum);
      } else {
        this.kernel.floats.fill(0, sum / 8, (sum + slotBytes) / 8);
        this.metInfinity = true;
      }
    }
    this.count = (kept - this.pairs / 4) / WORDS_PER_PAIR;
    return tangents;
  }

  /** True if a coordinate of a, at an offset, is `sign` times that of b. */
  private sameCoordinate(a: number, b: number, offset: number, sign: 1 | -1): boolean {
    for (let k = 0; k < this.kernel.components; k++)
      if (
        !this.sameElement(
          (a & ~NEGATED) + offset + k * ELEMENT_BYTES,
          (b & ~NEGATED) + offset + k * ELEMENT_BYTES,
          sign,
        )
      )
        return false;
    return true;
  }

  /** True if one element is `sign` times the other modulo p; usually but not always they have the same limbs then. */
  private sameElement(a: number, b: number, sign: 1 | -1): boolean {
    const { floats } = this.kernel;
    const [atA, atB] = [a / 8, b / 8];
    let equal = true;
    for (let i = 0; equal && i < LIMBS; i++) equal = floats[atA + i] === sign * floats[atB + i]!;
    if (equal) return true;
    // Limbs also differ if the numbers straddle a multiple of p or half a limb. The lowest limb rules that out almost
    // always.
    const low = (((floats[atA]! - sign * floats[atB]!) % LIMB) + LIMB) % LIMB;
    if (low !== 0 && low !== LOW_LIMB_OF_P && low !== LIMB - LOW_LIMB_OF_P) return false;
    const [x, y] = [this.kernel.element(a), this.kernel.element(b)];
    return x === (sign === 1 ? y : (BASE_FIELD_ORDER - y) % BASE_FIELD_ORDER);
  }
}
