/**
 * Repeatable choices from a seed: shuffles, partitions, initial weights. Never a source of secrets or of privacy noise.
 */
import { sha256 } from "@noble/hashes/sha2.js";

/** A stream of choices fixed by its label and seed. */
export interface SeededStream {
  /** Uniform in [0, 1), a multiple of 2^−32. */
  uniform(): number;
  /** Uniform integer in [0, bound), 1 <= bound <= 2^32, without bias. */
  below(bound: number): number;
  /** Standard normal (Box and Muller 1958). */
  normal(): number;
  /** Gamma with this shape and scale 1, for any shape > 0, as its logarithm (tiny shapes underflow otherwise). */
  logGamma(shape: number): number;
  /** A permutation of 0 … count−1 (Fisher and Yates). */
  permutation(count: number): Uint32Array;
}

/**
 * sha-256 of label, seed and a counter, eight 32-bit words a block.
 *
 * @param label what the choices are for, so that equal seeds do not give equal choices in two places
 * @param seed an integer in [0, 2^53)
 */
export function seededStream(label: string, seed: number): SeededStream {
  const prefix = new TextEncoder().encode(`verisum/${label}/${seed}/`);
  const input = new Uint8Array(prefix.length + 8);
  input.set(prefix);
  const counter = new DataView(input.buffer, prefix.length);
  let block: DataView = new DataView(new ArrayBuffer(0));
  let at = 0;
  let blocks = 0;

  const word = (): number => {
    if (at === block.byteLength) {
      counter.setBigUint64(0, BigInt(blocks++));
      const bytes = sha256(input);
      block = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      at = 0;
    }
    at += 4;
    return block.getUint32(at - 4);
  };
  const uniform = (): number => word() / 2 ** 32;
  const below = (bound: number): number => {
    const limit = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const drawn = word();
      if (drawn < limit) return drawn % bound;
    }
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  // Marsaglia and Tsang 2000; below shape 1 their note: Gamma(a) = Gamma(a+1) * U^(1/a).
  const logGamma = (shape: number): number => {
    if (shape < 1) return logGamma(shape + 1) + Math.log(1 - uniform()) / shape;
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = normal();
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(1 - uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d * v);
    }
  };
  const permutation = (count: number): Uint32Array => {
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = below(i + 1);
      const kept = order[i]!;
      order[i] = order[j]!;
      order[j] = kept;
    }
    return order;
  };
  return { uniform, below, normal, logGamma, permutation };
}
