/**
 * The WebAssembly of Fourier transforms over Fr, two butterflies at once.
 *
 * An array of n elements is n/2 twins: elements t and t + n/2 are the lanes of twin t. The first stage of a transform
 * then crosses lanes and has no factors, and every later one does the same to both halves. `split` stages (Cooley and
 * Tukey) take values in order to bit-reversed ones, `merge` stages (Gentleman and Sande) take them back; no element is
 * ever moved. All butterflies of a block share their factor, and those of consecutive blocks are consecutive in one
 * table for all stages.
 */
import { FIELD_ORDER } from "../../../protocol/parameters.ts";
import { FieldEmitter } from "./field-emitter.ts";
import type { Element } from "./field-emitter.ts";
import {
  advance,
  ELEMENT_BYTES,
  loadPair,
  loadTwins,
  PACKED_BYTES,
  packPair,
  storePair,
  storeTwins,
  TWIN_BYTES,
  unpackPair,
} from "./twin-code.ts";
import type { KernelModule } from "./twin-code.ts";
import { encodeModule, f64x2, FunctionBuilder, i32, i64, i64x2, v128 } from "./wasm-encoder.ts";
import type { Code } from "./wasm-encoder.ts";

/** What the module exports. Arguments are addresses, counts above zero, or distances in bytes. */
export interface TransformExports {
  /** Unpacks the engine's elements at `low` and `high` to twins, after the first split stage. */
  enter(twins: number, low: number, high: number, count: number): void;
  /** A split stage: each block of 2·half twins, with the factors of the lanes' blocks from `low` and `high` on. */
  split(twins: number, low: number, high: number, blocks: number, half: number): void;
  /** The inverse of `split`, up to a factor of two, if the factors are the inverses. */
  merge(twins: number, low: number, high: number, blocks: number, half: number): void;
  /** Multiplies twins by the factors from `low` and `high` on. */
  scale(twins: number, low: number, high: number, count: number): void;
  /** Pairs of elements alone, times the twins at `factor`. */
  extend(out: number, elements: number, factor: number, pairs: number): void;
  /** After the last merge stage of a, b and c: a·b − c as canonical 32-byte words, not in Montgomery form. */
  leave(low: number, high: number, a: number, b: number, c: number, count: number): void;
}

/** Generates the module. */
export function transformModule(): KernelModule {
  const field = new FieldEmitter(FIELD_ORDER, 0);
  const functions = [
    emitEnter(field),
    emitStage(field, "split"),
    emitStage(field, "merge"),
    emitScale(field),
    emitExtend(field),
    emitLeave(field),
  ];
  return { code: encodeModule(functions), constants: field.constantBytes };
}

function emitEnter(field: FieldEmitter): FunctionBuilder {
  const f = new FunctionBuilder("enter", ["i32", "i32", "i32", "i32"]);
  const [twins, low, high, count] = [f.parameter(0), f.parameter(1), f.parameter(2), f.parameter(3)];
  const butterfly = laneButterfly(f);
  repeat(f, count, () => {
    storeTwins(f, twins, field.reduce(f, butterfly(unpackPair(f, field, low, high))));
    advance(f, twins, TWIN_BYTES);
    advance(f, low, PACKED_BYTES);
    advance(f, high, PACKED_BYTES);
  });
  return f;
}

function emitStage(field: FieldEmitter, name: "split" | "merge"): FunctionBuilder {
  const f = new FunctionBuilder(name, ["i32", "i32", "i32", "i32", "i32"]);
  const [first, low, high, blocks, half] = [
    f.parameter(0),
    f.parameter(1),
    f.parameter(2),
    f.parameter(3),
    f.parameter(4),
  ];
  const distance = f.let("i32", i32.multiply(half, i32.const(TWIN_BYTES)));
  const second = f.let("i32", i32.add(first, distance));
  const left = f.local("i32");
  repeat(f, blocks, () => {
    const factor = loadPair(low, high).map((limb) => f.let("v128", limb));
    f.set(left, half);
    repeat(f, left, () => {
      const [x, y] = [loadTwins(f, first), loadTwins(f, second)];
      if (name === "split") {
        const scaled = field.multiply(f, factor, y);
        storeTwins(f, first, field.reduce(f, field.add(f, x, scaled)));
        storeTwins(f, second, field.reduce(f, field.subtract(f, x, scaled)));
      } else {
        storeTwins(f, first, field.reduce(f, field.add(f, x, y)));
        storeTwins(f, second, field.multiply(f, factor, field.subtract(f, x, y)));
      }
      advance(f, first, TWIN_BYTES);
      advance(f, second, TWIN_BYTES);
    });
    f.set(first, second);
    advance(f, second, distance);
    advance(f, low, ELEMENT_BYTES);
    advance(f, high, ELEMENT_BYTES);
  });
  return f;
}

function emitScale(field: FieldEmitter): FunctionBuilder {
  const f = new FunctionBuilder("scale", ["i32", "i32", "i32", "i32"]);
  const [twins, low, high, count] = [f.parameter(0), f.parameter(1), f.parameter(2), f.parameter(3)];
  repeat(f, count, () => {
    const factor = loadPair(low, high).map((limb) => f.let("v128", limb));
    storeTwins(f, twins, field.multiply(f, factor, loadTwins(f, twins)));
    advance(f, twins, TWIN_BYTES);
    advance(f, low, ELEMENT_BYTES);
    advance(f, high, ELEMENT_BYTES);
  });
  return f;
}

function emitExtend(field: FieldEmitter): FunctionBuilder {
  const f = new FunctionBuilder("extend", ["i32", "i32", "i32", "i32"]);
  const [out, elements, pairs] = [f.parameter(0), f.parameter(1), f.parameter(3)];
  const factor = loadTwins(f, f.parameter(2));
  const next = (address: Code): Code => i32.add(address, i32.const(ELEMENT_BYTES));
  repeat(f, pairs, () => {
    const values = loadPair(elements, next(elements)).map((limb) => f.let("v128", limb));
    storePair(f, out, next(out), field.reduce(f, field.multiply(f, values, factor)));
    advance(f, out, 2 * ELEMENT_BYTES);
    advance(f, elements, 2 * ELEMENT_BYTES);
  });
  return f;
}

function emitLeave(field: FieldEmitter): FunctionBuilder {
  const f = new FunctionBuilder("leave", ["i32", "i32", "i32", "i32", "i32", "i32"]);
  const [low, high, count] = [f.parameter(0), f.parameter(1), f.parameter(5)];
  const sources = [f.parameter(2), f.parameter(3), f.parameter(4)];
  const butterfly = laneButterfly(f);
  const one = Array.from({ length: 5 }, (_, i) => field.constant(f, i === 0 ? 1 : 0));
  repeat(f, count, () => {
    const [a, b, c] = sources.map((address) => butterfly(loadTwins(f, address)));
    const value = field.subtract(f, field.multiply(f, a!, b!), c!);
    // Multiplying by one takes Montgomery's factor out.
    packPair(f, field, low, high, field.reduce(f, field.multiply(f, value, one)));
    for (const address of sources) advance(f, address, TWIN_BYTES);
    advance(f, low, PACKED_BYTES);
    advance(f, high, PACKED_BYTES);
  });
  return f;
}

/** (x, y) becomes (x + y, x − y), of twins' lanes. */
function laneButterfly(f: FunctionBuilder): (twins: Element) => Element {
  const signOfHigh = f.letAtStart("v128", i64x2.withHigh(i64x2.splat(i64.const(0n)), i64.const(1n << 63n)));
  return (twins) =>
    twins.map((limb) => f.let("v128", f64x2.add(v128.swapLanes(limb, limb), v128.xor(limb, signOfHigh))));
}

/** Runs a pass while the count, which it takes to zero, is positive. */
function repeat(f: FunctionBuilder, count: Code, pass: () => void): void {
  f.doWhile(
    () => {
      pass();
      advance(f, count, -1);
    },
    () => count,
  );
}
