/** An instance of a generated module, with its memory as a stack. */
import type { EngineMemory } from "ffjavascript";
import { balancedLimbs, LIMB_BITS, LIMBS } from "./field-emitter.ts";
import type { KernelModule } from "./twin-code.ts";

const PAGE_BYTES = 65536;
const MOST_BYTES = 2 ** 31;

/** The platform's global, which the compiler settings do not declare. */
interface WasmGlobal {
  readonly Memory: new (descriptor: { readonly initial: number }) => EngineMemory;
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly env: { readonly memory: EngineMemory } },
  ) => { readonly exports: unknown };
}

const wasm = (globalThis as unknown as { WebAssembly: WasmGlobal }).WebAssembly;

/** A compiled module, which threads share, and the constants at the start of its instances' memory. */
export interface CompiledKernel {
  readonly module: object;
  readonly constants: Uint8Array;
}

/** @throws the platform's CompileError where it has no relaxed SIMD */
export function compileKernel({ code, constants }: KernelModule): CompiledKernel {
  return { module: new wasm.Module(code), constants };
}

export class KernelMemory<Exports> {
  readonly exports: Exports;
  /** The modulus of the module's arithmetic. */
  readonly order: bigint;
  floats: Float64Array;
  words: Uint32Array;
  bytes: Uint8Array;
  private readonly memory: EngineMemory;
  private top: number;

  constructor({ module, constants }: CompiledKernel, order: bigint) {
    this.order = order;
    this.memory = new wasm.Memory({ initial: 1 });
    this.exports = new wasm.Instance(module, { env: { memory: this.memory } }).exports as Exports;
    this.floats = new Float64Array(this.memory.buffer);
    this.words = new Uint32Array(this.memory.buffer);
    this.bytes = new Uint8Array(this.memory.buffer);
    this.bytes.set(constants);
    this.top = Math.ceil(constants.length / 16) * 16;
  }

  /** Bytes on top of the stack, 16-byte aligned. They are zero unless they have been released before. */
  allocate(bytes: number): number {
    const at = this.top;
    this.top += Math.ceil(bytes / 16) * 16;
    // Addresses take part in signed 32-bit arithmetic.
    if (this.top > MOST_BYTES) throw new RangeError("the kernel's memory would pass 2 GiB");
    const missing = this.top - this.memory.buffer.byteLength;
    if (missing > 0) {
      this.memory.grow(Math.ceil(missing / PAGE_BYTES));
      this.floats = new Float64Array(this.memory.buffer);
      this.words = new Uint32Array(this.memory.buffer);
      this.bytes = new Uint8Array(this.memory.buffer);
    }
    return at;
  }

  /** What `release` takes to free everything allocated after this call. */
  mark(): number {
    return this.top;
  }

  release(mark: number): void {
    this.top = mark;
  }

  /** The residue of one lane of twins. */
  residue(address: number, lane: 0 | 1): bigint {
    return this.numberAt(address / 8 + lane, 2);
  }

  /** The residue of an element alone. */
  element(address: number): bigint {
    return this.numberAt(address / 8, 1);
  }

  /** Twins that both have this value. */
  setTwins(address: number, value: bigint): void {
    balancedLimbs(value).forEach((limb, i) => this.floats.fill(limb, address / 8 + 2 * i, address / 8 + 2 * i + 2));
  }

  private numberAt(index: number, stride: number): bigint {
    let value = 0n;
    for (let i = LIMBS - 1; i >= 0; i--)
      value = (value << BigInt(LIMB_BITS)) + BigInt(this.floats[index + i * stride]!);
    value %= this.order;
    return value < 0n ? value + this.order : value;
  }
}
