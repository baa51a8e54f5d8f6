/** Multiples of a group's generator in one thread, by tables of its window multiples. */
import type { EngineMemory } from "ffjavascript";

export type GroupName = "G1" | "G2";

/** An instance of the engine's WebAssembly module that belongs to this thread. */
export interface EngineInstance {
  readonly exports: Readonly<Record<string, (...pointers: number[]) => number>>;
  readonly memory: EngineMemory;
}

/** The platform's global, which the compiler settings do not declare. */
interface WasmGlobal {
  readonly Memory: new (descriptor: { readonly initial: number }) => EngineMemory;
  instantiate(
    code: Uint8Array,
    imports: { readonly env: { readonly memory: EngineMemory } },
  ): Promise<{ readonly instance: { readonly exports: unknown } }>;
}

const INITIAL_PAGES = 25;

/** An instance of the engine's module with memory of its own. */
export async function instantiateEngine(code: Uint8Array): Promise<EngineInstance> {
  const { Memory, instantiate } = (globalThis as unknown as { WebAssembly: WasmGlobal }).WebAssembly;
  const memory = new Memory({ initial: INITIAL_PAGES });
  const { instance } = await instantiate(code, { env: { memory } });
  return { exports: instance.exports as EngineInstance["exports"], memory };
}

const SCALAR_BYTES = 32;
const COORDINATE_BYTES: Readonly<Record<GroupName, number>> = { G1: 32, G2: 64 };

const SCALAR_BITS = 254;
/** Wider windows mean fewer additions per scalar and a larger table to fill first. */
const NARROW_WINDOW_BITS = 8;
const WIDE_WINDOW_BITS = 12;
const WIDE_WINDOW_FROM = 8192;
const BATCH = 2048;
const PAGE_BYTES = 65536;

/**
 * Multiplies the generator by every scalar.
 * @param generator the group's generator, affine in the engine's bytes
 * @param scalars 32-byte little-endian words below r
 * @returns affine points in the engine's bytes, in order; the scalar 0 gives infinity (all zero bytes)
 */
export function multiplyGenerator(
  engine: EngineInstance,
  group: GroupName,
  generator: Uint8Array,
  scalars: Uint8Array,
): Uint8Array {
  return new Kernel(engine, group, generator, scalars.length / SCALAR_BYTES).run(scalars);
}

class Kernel {
  private readonly wasm: Readonly<Record<string, (...pointers: number[]) => number>>;
  private readonly memory: EngineMemory;
  private readonly prefix: string;
  private readonly affineBytes: number;
  private readonly jacobianBytes: number;
  private readonly windowBits: number;
  private readonly windows: number;
  private readonly rows: number;
  private readonly table: number;
  private readonly batch: number;

  constructor(engine: EngineInstance, group: GroupName, generator: Uint8Array, count: number) {
    this.wasm = engine.exports;
    this.memory = engine.memory;
    this.prefix = group === "G1" ? "g1m" : "g2m";
    this.affineBytes = COORDINATE_BYTES[group] * 2;
    this.jacobianBytes = COORDINATE_BYTES[group] * 3;
    this.windowBits = count < WIDE_WINDOW_FROM ? NARROW_WINDOW_BITS : WIDE_WINDOW_BITS;
    this.windows = Math.ceil(SCALAR_BITS / this.windowBits);
    this.rows = 2 ** this.windowBits;
    this.table = this.allocate(this.windows * this.rows * this.affineBytes);
    this.batch = this.allocate(Math.max(BATCH, this.rows) * this.jacobianBytes);
    // Room for the scratch space that batchToAffine takes beyond the last allocation.
    this.reserve(Math.max(BATCH, this.rows) * this.jacobianBytes);
    this.fillTable(generator);
  }

  run(scalars: Uint8Array): Uint8Array {
    const count = scalars.length / SCALAR_BYTES;
    const result = new Uint8Array(count * this.affineBytes);
    for (let start = 0; start < count; start += BATCH) {
      const size = Math.min(BATCH, count - start);
      for (let i = 0; i < size; i++)
        this.accumulate(scalars, (start + i) * SCALAR_BYTES, this.batch + i * this.jacobianBytes);
      this.call("batchToAffine", this.batch, size, this.batch);
      result.set(new Uint8Array(this.memory.buffer, this.batch, size * this.affineBytes), start * this.affineBytes);
    }
    return result;
  }

  /** Row d of window k holds d·2^(k·windowBits)·G. */
  private fillTable(generator: Uint8Array): void {
    const base = this.allocate(this.affineBytes);
    const next = this.allocate(this.jacobianBytes);
    new Uint8Array(this.memory.buffer).set(generator, base);
    for (let window = 0; window < this.windows; window++) {
      this.call("zero", this.batch);
      for (let row = 1; row < this.rows; row++)
        this.call("addMixed", this.batch + (row - 1) * this.jacobianBytes, base, this.batch + row * this.jacobianBytes);
      this.call("addMixed", this.batch + (this.rows - 1) * this.jacobianBytes, base, next);
      this.call("toAffine", next, base);
      this.call("batchToAffine", this.batch, this.rows, this.table + window * this.rows * this.affineBytes);
    }
  }

  private accumulate(scalars: Uint8Array, at: number, result: number): void {
    const addMixed = this.wasm[`${this.prefix}_addMixed`]!;
    this.call("zero", result);
    for (let window = 0; window < this.windows; window++) {
      const bit = window * this.windowBits;
      const byte = at + (bit >> 3);
      const last = at + SCALAR_BYTES;
      const low =
        scalars[byte]! |
        ((byte + 1 < last ? scalars[byte + 1]! : 0) << 8) |
        ((byte + 2 < last ? scalars[byte + 2]! : 0) << 16);
      const digit = (low >> (bit & 7)) & (this.rows - 1);
      if (digit !== 0) addMixed(result, this.table + (window * this.rows + digit) * this.affineBytes, result);
    }
  }

  private call(name: string, ...pointers: number[]): void {
    this.wasm[`${this.prefix}_${name}`]!(...pointers);
  }

  /** Takes bytes from the engine's bump allocator, whose next free address is the first word of its memory. */
  private allocate(bytes: number): number {
    const free = (new Uint32Array(this.memory.buffer, 0, 1)[0]! + 7) & ~7;
    new Uint32Array(this.memory.buffer, 0, 1)[0] = free + bytes;
    this.reserve(0);
    return free;
  }

  private reserve(beyond: number): void {
    const needed = new Uint32Array(this.memory.buffer, 0, 1)[0]! + beyond;
    const missing = needed - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE_BYTES));
  }
}
