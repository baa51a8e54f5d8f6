/** Every choice of a schedule, from its seed. */
import { seededStream } from "../support/random.ts";

export class Dice {
  readonly #stream: (byteLength: number) => Uint8Array;

  constructor(seed: string) {
    this.#stream = seededStream(seed);
  }

  /** Uniform in 0 … bound − 1, but for a bias of 2^-32·bound. */
  below(bound: number): number {
    const bytes = this.#stream(4);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) % bound;
  }

  /** Uniform in from … to, both included. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  /** True once in so many times. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  /** Each element with even odds. */
  some<T>(from: readonly T[]): T[] {
    return from.filter(() => this.oneIn(2));
  }
}
