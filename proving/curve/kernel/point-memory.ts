/** The point module's memory: points in slots, and the field operations that are not worth a batch. */
import type { GroupName } from "../fixed-base-kernel.ts";
import { LIMBS } from "./field-emitter.ts";
import { KernelMemory } from "./kernel-memory.ts";
import type { CompiledKernel } from "./kernel-memory.ts";
import { BASE_FIELD_ORDER, COMPONENTS, NEGATED } from "./point-module.ts";
import type { PointExports } from "./point-module.ts";
import { ELEMENT_BYTES, PACKED_BYTES, TWIN_BYTES } from "./twin-code.ts";

/** Pairs of elements are copied in this many at a time. */
const LOAD_PAIRS = 1024;
const LOAD_BYTES = LOAD_PAIRS * 2 * PACKED_BYTES;
const DIGIT_BITS = 4;
const ONE = 2n ** 255n % BASE_FIELD_ORDER;
const HALF = 2n ** 254n % BASE_FIELD_ORDER;
const INVERSE_OF_ONE = powerModulo(ONE, BASE_FIELD_ORDER - 2n);
/** p − 2 in base 16, highest digit first. */
const INVERSE_EXPONENT = [...(BASE_FIELD_ORDER - 2n).toString(2 ** DIGIT_BITS)].map((digit) =>
  Number.parseInt(digit, 2 ** DIGIT_BITS),
);

export class PointMemory extends KernelMemory<PointExports> {
  /** Elements of the prime field in a coordinate. */
  readonly components: number;
  /** Bytes of a coordinate, of a point, of two coordinates side by side, and of the engine's affine point. */
  readonly coordinateBytes: number;
  readonly slotBytes: number;
  readonly twinBytes: number;
  readonly packedBytes: number;
  private readonly one: number;
  private readonly half: number;
  private readonly powers: number;
  private readonly norm: number;
  private readonly staging: number;

  constructor(kernel: CompiledKernel, group: GroupName) {
    super(kernel, BASE_FIELD_ORDER);
    this.components = COMPONENTS[group];
    this.coordinateBytes = this.components * ELEMENT_BYTES;
    this.slotBytes = 2 * this.coordinateBytes;
    this.twinBytes = this.components * TWIN_BYTES;
    this.packedBytes = 2 * this.components * PACKED_BYTES;
    this.one = this.allocate(TWIN_BYTES);
    this.half = this.allocate(TWIN_BYTES);
    this.powers = this.allocate(2 ** DIGIT_BITS * TWIN_BYTES);
    this.norm = this.allocate(TWIN_BYTES);
    this.staging = this.allocate(LOAD_BYTES);
    this.setTwins(this.one, ONE);
    this.setTwins(this.half, HALF);
    this.copyOne(this.powers);
  }

  /** Unpacks affine points of the engine to consecutive slots. */
  loadPoints(points: Uint8Array): number {
    const slots = this.allocate((points.length / this.packedBytes) * this.slotBytes);
    for (let start = 0; start < points.length; start += LOAD_BYTES) {
      const part = points.subarray(start, start + LOAD_BYTES);
      this.bytes.set(part, this.staging);
      const elements = slots + (start / PACKED_BYTES) * ELEMENT_BYTES;
      this.exports.load(elements, this.staging, part.length / (2 * PACKED_BYTES), this.half);
    }
    return slots;
  }

  /** Affine bytes of the engine of points in consecutive slots. */
  storePoints(slots: number, count: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(count * this.packedBytes);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < bytes.length / PACKED_BYTES; i++) {
      let value = (this.element(slots + i * ELEMENT_BYTES) * 2n) % BASE_FIELD_ORDER;
      for (let at = i * PACKED_BYTES; value !== 0n; at += 8, value >>= 64n)
        view.setBigUint64(at, BigInt.asUintN(64, value), true);
    }
    return bytes;
  }

  /** True if the slot holds infinity. No other point has y = 0. */
  isInfinity(point: number): boolean {
    const y = ((point & ~NEGATED) + this.coordinateBytes) / 8;
    for (let i = 0; i < this.components * LIMBS; i++) if (this.floats[y + i] !== 0) return false;
    return true;
  }

  /** Copies a point, negated if its address says so. */
  copyPoint(point: number, slot: number): void {
    const from = (point & ~NEGATED) / 8;
    this.floats.copyWithin(slot / 8, from, from + this.slotBytes / 8);
    if ((point & NEGATED) === 0) return;
    const y = (slot + this.coordinateBytes) / 8;
    for (let i = 0; i < this.components * LIMBS; i++) this.floats[y + i]! *= -1;
  }

  /** One in both lanes of a coordinate. */
  setOne(address: number): void {
    this.floats.fill(0, address / 8, (address + this.twinBytes) / 8);
    this.copyOne(address);
  }

  /** True if the coordinate in one lane is zero. */
  isZeroLane(address: number, lane: 0 | 1): boolean {
    for (let k = 0; k < this.components; k++) if (this.residue(address + k * TWIN_BYTES, lane) !== 0n) return false;
    return true;
  }

  /** Both lanes' inverses, of coordinates. Zero gives zero. */
  invert(out: number, value: number): void {
    const { norm, scaleConjugate } = this.exports;
    if (norm === undefined || scaleConjugate === undefined) {
      this.invertElement(out, value);
      return;
    }
    norm(this.norm, value);
    this.invertElement(this.norm, this.norm);
    scaleConjugate(out, value, this.norm);
  }

  /** By Fermat's little theorem with 4-bit windows, in the prime field. */
  private invertElement(out: number, value: number): void {
    const { multiply, square } = this.exports;
    const power = (digit: number): number => this.powers + digit * TWIN_BYTES;
    this.floats.copyWithin(power(1) / 8, value / 8, (value + TWIN_BYTES) / 8);
    for (let digit = 2; digit < 2 ** DIGIT_BITS; digit++) multiply(power(digit), power(digit - 1), power(1));
    this.copyOne(out);
    for (const digit of INVERSE_EXPONENT) {
      square(out, out, DIGIT_BITS);
      multiply(out, out, power(digit));
    }
  }

  private copyOne(address: number): void {
    this.floats.copyWithin(address / 8, this.one / 8, (this.one + TWIN_BYTES) / 8);
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
}

function powerModulo(base: bigint, exponent: bigint): bigint {
  let power = 1n;
  for (const bit of exponent.toString(2)) power = (power * power * (bit === "1" ? base : 1n)) % BASE_FIELD_ORDER;
  return power;
}
