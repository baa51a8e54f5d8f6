/**
 * Loads and stores of elements in WebAssembly: alone, as five consecutive floats, or as twins, limb by limb side by
 * side.
 */
import { bitsOf, LIMB_BITS, LIMBS } from "./field-emitter.ts";
import type { Element, FieldEmitter } from "./field-emitter.ts";
import { f64x2, i32, i64, i64x2, v128 } from "./wasm-encoder.ts";
import type { Code, FunctionBuilder } from "./wasm-encoder.ts";

/** Bytes of an element alone, and of twins. */
export const ELEMENT_BYTES = 8 * LIMBS;
export const TWIN_BYTES = 2 * ELEMENT_BYTES;
/** Bytes of an element of the engine. */
export const PACKED_BYTES = 32;

/** What a generated module is: its bytes, and the constants for the start of its memory. */
export interface KernelModule {
  readonly code: Uint8Array<ArrayBuffer>;
  readonly constants: Uint8Array;
}

/** @param limbs of a vector of elements, if it is one */
export function loadTwins(f: FunctionBuilder, address: Code, limbs = LIMBS): Element {
  return Array.from({ length: limbs }, (_, i) => f.let("v128", v128.load(16 * i, address)));
}

export function storeTwins(f: FunctionBuilder, address: Code, value: Element): void {
  value.forEach((limb, i) => f.do(v128.store(16 * i, address, limb)));
}

/** One element in each lane, from two addresses. */
export function loadPair(low: Code, high: Code, offset = 0, limbs = LIMBS): Code[] {
  return Array.from({ length: limbs }, (_, i) =>
    v128.loadHigh(offset + 8 * i, high, v128.loadLow(offset + 8 * i, low)),
  );
}

export function storePair(f: FunctionBuilder, low: Code, high: Code, value: Element, offset = 0): void {
  value.forEach((limb, i) => {
    f.do(v128.storeLow(offset + 8 * i, low, limb));
    f.do(v128.storeHigh(offset + 8 * i, high, limb));
  });
}

/** The engine's little-endian numbers at two addresses, below 2^255, as twins with limbs in 0..2^51. */
export function unpackPair(f: FunctionBuilder, field: FieldEmitter, low: Code, high: Code): Element {
  const [lows, highs] = [limbsOfWords(f, low), limbsOfWords(f, high)];
  return lows.map((limb, i) => {
    const bits = v128.or(i64x2.withHigh(i64x2.splat(limb), highs[i]!), field.constant(f, 2 ** 52));
    return f.let("v128", f64x2.sub(bits, field.constant(f, 2 ** 52)));
  });
}

function limbsOfWords(f: FunctionBuilder, address: Code): Code[] {
  const words = Array.from({ length: 4 }, (_, i) => f.let("i64", i64.load(8 * i, address)));
  return Array.from({ length: LIMBS }, (_, i) => {
    const [word, bit] = [Math.floor((LIMB_BITS * i) / 64), BigInt((LIMB_BITS * i) % 64)];
    const low = i64.shiftRight(words[word]!, i64.const(bit));
    const joined =
      bit + BigInt(LIMB_BITS) <= 64n || word === 3
        ? low
        : i64.or(low, i64.shiftLeft(words[word + 1]!, i64.const(64n - bit)));
    return i64.and(joined, i64.const((1n << BigInt(LIMB_BITS)) - 1n));
  });
}

/** Adds to an i32 local. */
export function advance(f: FunctionBuilder, local: Code, by: number | Code): void {
  f.set(local, i32.add(local, typeof by === "number" ? i32.const(by) : by));
}

/**
 * Stores the lanes' residues, of numbers above −order and below it, as canonical little-endian words. Limbs are within
 * ±2^51.
 */
export function packPair(f: FunctionBuilder, field: FieldEmitter, low: Code, high: Code, value: Element): void {
  const integers = value.map((limb) => f.let("v128", f64x2.add(limb, field.constant(f, 1.5 * 2 ** 52))));
  [low, high].forEach((address, lane) => {
    const read = lane === 0 ? i64x2.extractLow : i64x2.extractHigh;
    const limbs = integers.map((bits) => f.let("i64", i64.sub(read(bits), i64.const(bitsOf(1.5 * 2 ** 52)))));
    carry(f, limbs);
    const negative = f.let("i64", i64.shiftRightSigned(limbs[LIMBS - 1]!, i64.const(63n)));
    field.orderLimbs.forEach((limb, i) => f.set(limbs[i]!, i64.add(limbs[i]!, i64.and(negative, i64.const(limb)))));
    carry(f, limbs);
    for (let word = 0; word < 4; word++) {
      const parts = limbs.flatMap((limb, i) => {
        const shift = LIMB_BITS * i - 64 * word;
        if (shift <= -LIMB_BITS || shift >= 64) return [];
        return [
          shift >= 0 ? i64.shiftLeft(limb, i64.const(BigInt(shift))) : i64.shiftRight(limb, i64.const(BigInt(-shift))),
        ];
      });
      f.do(
        i64.store(
          8 * word,
          address,
          parts.reduce((a, b) => i64.or(a, b)),
        ),
      );
    }
  });
}

/** Takes limbs to 0..2^51 but the top one, which is left with the sign. */
function carry(f: FunctionBuilder, limbs: readonly Code[]): void {
  for (let i = 0; i < LIMBS - 1; i++) {
    f.set(limbs[i + 1]!, i64.add(limbs[i + 1]!, i64.shiftRightSigned(limbs[i]!, i64.const(BigInt(LIMB_BITS)))));
    f.set(limbs[i]!, i64.and(limbs[i]!, i64.const((1n << BigInt(LIMB_BITS)) - 1n)));
  }
}
