/** One thread's part of the quotients of Groth16 proofs. */
import { invert, multiply, power } from "../../../protocol/field.ts";
import { FIELD_ORDER } from "../../../protocol/parameters.ts";
import { balancedLimbs } from "./field-emitter.ts";
import { KernelMemory } from "./kernel-memory.ts";
import type { CompiledKernel } from "./kernel-memory.ts";
import type { TransformExports } from "./transform-module.ts";
import { ELEMENT_BYTES, PACKED_BYTES, TWIN_BYTES } from "./twin-code.ts";

/** Montgomery's factor in the kernel; the engine's is twice that. */
const ONE = 2n ** 255n % FIELD_ORDER;
const HALF = 2n ** 254n % FIELD_ORDER;

/**
 * a·b − c off the domain, where a, b and c are polynomials given by their values on it, in the engine's Montgomery
 * form.
 */
export interface QuotientTask {
  readonly a: Uint8Array;
  readonly b: Uint8Array;
  readonly c: Uint8Array;
  /** A primitive root of unity of twice the domain's order, which is a power of two. The domain are its even powers. */
  readonly root: bigint;
}

/** Addresses of a domain's factors. */
interface Tables {
  readonly split: number;
  readonly merge: number;
  /** From the inverse transform's coefficients, bit-reversed, to those on the odd powers. */
  readonly shift: number;
}

export class QuotientTasks {
  private readonly kernel: KernelMemory<TransformExports>;
  private readonly tables = new Map<string, Tables>();

  constructor(kernel: CompiledKernel) {
    this.kernel = new KernelMemory(kernel, FIELD_ORDER);
  }

  /** a·b − c at the odd powers of the root in order: canonical 32-byte little-endian words, not in Montgomery form. */
  run({ a, b, c, root }: QuotientTask): Uint8Array<ArrayBuffer> {
    const { kernel } = this;
    const size = a.length / PACKED_BYTES;
    const tables = this.tablesOf(size, root);
    const mark = kernel.mark();
    const packed = kernel.allocate(size * PACKED_BYTES);
    const upper = packed + (size / 2) * PACKED_BYTES;
    const [oddA, oddB, oddC] = [a, b, c].map((values) => this.toOddPowers(values, packed, tables)) as [
      number,
      number,
      number,
    ];
    kernel.exports.leave(packed, upper, oddA, oddB, oddC, size / 2);
    const result = kernel.bytes.slice(packed, packed + size * PACKED_BYTES);
    kernel.release(mark);
    return result;
  }

  /** Twins of the values at the odd powers, before the last stage. */
  private toOddPowers(values: Uint8Array, packed: number, { split, merge, shift }: Tables): number {
    const { kernel } = this;
    const size = values.length / PACKED_BYTES;
    const twins = kernel.allocate((size / 2) * TWIN_BYTES);
    kernel.bytes.set(values, packed);
    kernel.exports.enter(twins, packed, packed + (size / 2) * PACKED_BYTES, size / 2);
    for (let blocks = 1; blocks < size / 2; blocks *= 2)
      kernel.exports.split(twins, split, split + blocks * ELEMENT_BYTES, blocks, size / 4 / blocks);
    kernel.exports.scale(twins, shift, shift + (size / 2) * ELEMENT_BYTES, size / 2);
    for (let blocks = size / 4; blocks >= 1; blocks /= 2)
      kernel.exports.merge(twins, merge, merge + blocks * ELEMENT_BYTES, blocks, size / 4 / blocks);
    return twins;
  }

  private tablesOf(size: number, root: bigint): Tables {
    const key = `${size} ${root}`;
    let tables = this.tables.get(key);
    if (tables === undefined) {
      const generator = multiply(root, root);
      tables = {
        split: this.bitReversedPowers(size / 2, invert(generator), ONE),
        merge: this.bitReversedPowers(size / 2, generator, ONE),
        shift: this.bitReversedPowers(size, root, multiply(HALF, invert(BigInt(size)))),
      };
      this.tables.set(key, tables);
    }
    return tables;
  }

  /**
   * first·base^k at the index whose bits are those of k reversed, for k below the count; the next element is
   * overwritten too.
   */
  private bitReversedPowers(count: number, base: bigint, first: bigint): number {
    const { kernel } = this;
    const elements = kernel.allocate((count + 1) * ELEMENT_BYTES);
    const mark = kernel.mark();
    const factor = kernel.allocate(TWIN_BYTES);
    kernel.floats.set(balancedLimbs(first), elements / 8);
    for (let filled = 1; filled < count; filled *= 2) {
      kernel.setTwins(factor, multiply(power(base, BigInt(count / 2 / filled)), ONE));
      kernel.exports.extend(elements + filled * ELEMENT_BYTES, elements, factor, Math.ceil(filled / 2));
    }
    kernel.release(mark);
    return elements;
  }
}
