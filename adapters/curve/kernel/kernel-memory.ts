/** An instance of the kernel's module with a stack of memory, and single field operations in it. */
import type { EngineMemory } from "ffjavascript";
import { balancedLimbs, LIMB_BITS, LIMBS } from "./field-emitter.ts";
import { BASE_FIELD_ORDER, CONSTANTS_END, COORDINATE_BYTES, NEGATED, SLOT_BYTES, TWIN_BYTES } from "./point-module.ts";
import type { KernelModule, PointExports } from "./point-module.ts";

const PAGE_BYTES = 65536;
const ENGINE_POINT_BYTES = 64;
/** Points are copied in this many at a time. */
const LOAD_POINTS = 1024;
const DIGIT_BITS = 4;
const ONE = 2n ** 255n % BASE_FIELD_ORDER;
const HALF = 2n ** 254n % BASE_FIELD_ORDER;
const INVERSE_OF_ONE = powerModulo(ONE, BASE_FIELD_ORDER - 2n);
/** p − 2 in base 16, highest digit first. */
const INVERSE_EXPONENT = [...(BASE_FIELD_ORDER - 2n).toString(2 ** DIGIT_BITS)].map((digit) => Number.parseInt(digit, 2 ** DIGIT_BITS));

/** The platform's global, which the compiler settings do not declare. */
interface WasmGlobal {
  readonly Memory: new (descriptor: { readonly initial: number }) => EngineMemory;
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: { readonly env: { readonly memory: EngineMemory } }) => { readonly exports: unknown };
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

export class KernelMemory {
  readonly exports: PointExports;
  floats: Float64Array;
  words: Uint32Array;
  private readonly memory: EngineMemory;
  private readonly one: number;
  private readonly half: number;
  private readonly powers: number;
  private readonly staging: number;
  private top = CONSTANTS_END;

  constructor({ module, constants }: CompiledKernel) {
    this.memory = new wasm.Memory({ initial: 1 });
    this.exports = new wasm.Instance(module, { env: { memory: this.memory } }).exports as PointExports;
    this.floats = new Float64Array(this.memory.buffer);
    this.words = new Uint32Array(this.memory.buffer);
    new Uint8Array(this.memory.buffer).set(constants);
    this.one = this.allocate(TWIN_BYTES);
    this.half = this.allocate(TWIN_BYTES);
    this.powers = this.allocate(2 ** DIGIT_BITS * TWIN_BYTES);
    this.staging = this.allocate(LOAD_POINTS * ENGINE_POINT_BYTES);
    this.setTwins(this.one, ONE);
    this.setTwins(this.half, HALF);
    this.setOne(this.powers);
  }

  /** Bytes on top of the stack, 16-byte aligned. They are zero unless they have been released before. */
  allocate(bytes: number): number {
    const at = this.top;
    this.top += Math.ceil(bytes / 16) * 16;
    const missing = this.top - this.memory.buffer.byteLength;
    if (missing > 0) {
      this.memory.grow(Math.ceil(missing / PAGE_BYTES));
      this.floats = new Float64Array(this.memory.buffer);
      this.words = new Uint32Array(this.memory.buffer);
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

  /** Unpacks affine points of the engine to consecutive slots. */
  loadPoints(points: Uint8Array): number {
    const count = points.length / ENGINE_POINT_BYTES;
    const slots = this.allocate(count * SLOT_BYTES);
    for (let start = 0; start < count; start += LOAD_POINTS) {
      const size = Math.min(LOAD_POINTS, count - start);
      new Uint8Array(this.memory.buffer, this.staging).set(points.subarray(start * ENGINE_POINT_BYTES, (start + size) * ENGINE_POINT_BYTES));
      this.exports.load(slots + start * SLOT_BYTES, this.staging, size, this.half);
    }
    return slots;
  }

  /** Affine bytes of the engine of points in consecutive slots. */
  storePoints(slots: number, count: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(count * ENGINE_POINT_BYTES);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < 2 * count; i++) {
      let value = (this.coordinate(slots / 8 + i * LIMBS) * 2n) % BASE_FIELD_ORDER;
      for (let at = i * 32; value !== 0n; at += 8, value >>= 64n) view.setBigUint64(at, BigInt.asUintN(64, value), true);
    }
    return bytes;
  }

  /** True if the slot holds infinity. No other point has y = 0. */
  isInfinity(point: number): boolean {
    const y = ((point & ~NEGATED) + COORDINATE_BYTES) / 8;
    for (let i = 0; i < LIMBS; i++) if (this.floats[y + i] !== 0) return false;
    return true;
  }

  /** Copies a point, negated if its address says so. */
  copyPoint(point: number, slot: number): void {
    const from = (point & ~NEGATED) / 8;
    this.floats.copyWithin(slot / 8, from, from + SLOT_BYTES / 8);
    if ((point & NEGATED) === 0) return;
    const y = (slot + COORDINATE_BYTES) / 8;
    for (let i = 0; i < LIMBS; i++) this.floats[y + i]! *= -1;
  }

  setOne(address: number): void {
    this.floats.copyWithin(address / 8, this.one / 8, (this.one + TWIN_BYTES) / 8);
  }

  /** Both lanes' inverses, by Fermat's little theorem with 4-bit windows. Zero gives zero. */
  invert(out: number, value: number): void {
    const { multiply, square } = this.exports;
    const power = (digit: number): number => this.powers + digit * TWIN_BYTES;
    this.floats.copyWithin(power(1) / 8, value / 8, (value + TWIN_BYTES) / 8);
    for (let digit = 2; digit < 2 ** DIGIT_BITS; digit++) multiply(power(digit), power(digit - 1), power(1));
    this.setOne(out);
    for (const digit of INVERSE_EXPONENT) {
      square(out, out, DIGIT_BITS);
      multiply(out, out, power(digit));
    }
  }

  /** The residue of one lane of twins, still times 2^255. */
  residue(address: number, lane: 0 | 1): bigint {
    return this.numberAt(address / 8 + lane, 2);
  }

  /** The residue of a point's coordinate, whose first limb has this index among the floats, still times 2^255. */
  coordinate(index: number): bigint {
    return this.numberAt(index, 1);
  }

  /** True if the processor rounds a multiply-add once: the products are right then, and else nearly never. */
  multipliesExactly(): boolean {
    const [value, square] = [this.allocate(TWIN_BYTES), this.allocate(TWIN_BYTES)];
    let expected = HALF;
    this.setTwins(value, expected);
    const { square: squareInKernel } = this.exports;
    for (let times = 1; times <= 8; times++) {
      expected = (expected * expected * INVERSE_OF_ONE) % BASE_FIELD_ORDER;
      squareInKernel(square, value, times);
      if (this.residue(square, 0) !== expected || this.residue(square, 1) !== expected) return false;
    }
    return true;
  }

  private numberAt(index: number, stride: number): bigint {
    let value = 0n;
    for (let i = LIMBS - 1; i >= 0; i--) value = (value << BigInt(LIMB_BITS)) + BigInt(this.floats[index + i * stride]!);
    value %= BASE_FIELD_ORDER;
    return value < 0n ? value + BASE_FIELD_ORDER : value;
  }

  private setTwins(address: number, value: bigint): void {
    balancedLimbs(value).forEach((limb, i) => this.floats.fill(limb, address / 8 + 2 * i, address / 8 + 2 * i + 2));
  }
}

function powerModulo(base: bigint, exponent: bigint): bigint {
  let power = 1n;
  for (const bit of exponent.toString(2)) power = (power * power * (bit === "1" ? base : 1n)) % BASE_FIELD_ORDER;
  return power;
}
