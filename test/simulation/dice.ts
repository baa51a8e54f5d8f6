/** Every choice of a schedule, from its seed. */
import { seededStream } from "../support/random.ts";

/** Bytes drawn at a time. */
const DRAWN = 4096;

export class Dice {
  readonly #stream: (byteLength: number) => Uint8Array;
  #drawn = new DataView(new ArrayBuffer(0));
  #used = 0;

  constructor(seed: string) {
    this.#stream = seededStream(seed);
  }

  /** Uniform in 0 … bound − 1, but for a bias of 2^-32·bound. */
  below(bound: number): number {
    if (this.#used === this.#drawn.byteLength) {
      const { buffer, byteOffset } = this.#stream(DRAWN);
      this.#drawn = new DataView(buffer as ArrayBuffer, byteOffset, DRAWN);
      this.#used = 0;
    }
    this.#used += 4;
    return this.#drawn.getUint32(this.#used - 4) % bound;
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
