/** The WebAssembly of batches of affine additions in G1 or G2: two points at once, one in each lane. */
import type { GroupName } from "../fixed-base-kernel.ts";
import { FieldEmitter, LIMBS } from "./field-emitter.ts";
import type { CoordinateField, Element } from "./field-emitter.ts";
import { QuadraticEmitter } from "./quadratic-emitter.ts";
import {
  advance,
  ELEMENT_BYTES,
  loadPair,
  loadTwins,
  PACKED_BYTES,
  storePair,
  storeTwins,
  TWIN_BYTES,
  unpackPair,
} from "./twin-code.ts";
import type { KernelModule } from "./twin-code.ts";
import { encodeModule, FunctionBuilder, i32, i64, i64x2, v128 } from "./wasm-encoder.ts";
import type { Code } from "./wasm-encoder.ts";

/** Elements of the prime field in a coordinate. A point in the kernel is x before y. */
export const COMPONENTS: Readonly<Record<GroupName, number>> = { G1: 1, G2: 2 };
/** Bytes of a pair of points to add: the addresses a, b, and the sum's. */
export const PAIR_BYTES = 12;
/** An address with this bit set stands for the negated point. */
export const NEGATED = 1;
/** The prime p of the curve's coordinates. */
export const BASE_FIELD_ORDER = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;
const STEP_BYTES = 2 * PAIR_BYTES;

/** What the module exports; all arguments are addresses or counts. */
export interface PointExports {
  /** out = a·b in both lanes, in the prime field. */
  multiply(out: number, a: number, b: number): void;
  /** out = a^(2^times), times > 0, in the prime field. */
  square(out: number, a: number, times: number): void;
  /** Of G2 only. The prime field's out = a·(conjugate of a). */
  norm?(out: number, a: number): void;
  /** Of G2 only. out = (conjugate of a)·factor, which is of the prime field. */
  scaleConjugate?(out: number, a: number, factor: number): void;
  /** Unpacks `count` > 0 pairs of the engine's elements. `half` holds twins of 2^254 mod p. */
  load(out: number, elements: number, count: number, half: number): void;
  /**
   * x_b − x_a of each step's two pairs to `differences`; products of all before each to `prefixes`; of all to
   * `product`, which starts as one.
   */
  chords(pairs: number, steps: number, differences: number, prefixes: number, product: number): void;
  /** The same for the tangents' 2·y_a. */
  tangents(pairs: number, steps: number, differences: number, prefixes: number, product: number): void;
  /** The sums, from the inverse of the product, last step first. `inverse` is overwritten. */
  addChords(pairs: number, steps: number, differences: number, prefixes: number, inverse: number): void;
  addTangents(pairs: number, steps: number, differences: number, prefixes: number, inverse: number): void;
}

type Slope = "chord" | "tangent";

/** Generates the module. */
export function pointModule(group: GroupName): KernelModule {
  const base = new FieldEmitter(BASE_FIELD_ORDER, 0);
  const quadratic = new QuadraticEmitter(base);
  const field = group === "G1" ? base : quadratic;
  const functions = [
    emitMultiply(base),
    emitSquare(base),
    ...(group === "G1" ? [] : [emitNorm(quadratic), emitScaleConjugate(quadratic)]),
    emitLoad(base),
    emitDenominators("chords", "chord", field),
    emitDenominators("tangents", "tangent", field),
    emitSums("addChords", "chord", field),
    emitSums("addTangents", "tangent", field),
  ];
  return { code: encodeModule(functions), constants: base.constantBytes };
}

function emitMultiply(field: FieldEmitter): FunctionBuilder {
  const f = new FunctionBuilder("multiply", ["i32", "i32", "i32"]);
  storeTwins(f, f.parameter(0), field.multiply(f, loadTwins(f, f.parameter(1)), loadTwins(f, f.parameter(2))));
  return f;
}

function emitSquare(field: FieldEmitter): FunctionBuilder {
  const f = new FunctionBuilder("square", ["i32", "i32", "i32"]);
  const times = f.parameter(2);
  const value = loadTwins(f, f.parameter(1));
  f.doWhile(
    () => {
      field.square(f, value).forEach((limb, i) => f.set(value[i]!, limb));
      advance(f, times, -1);
    },
    () => times,
  );
  storeTwins(f, f.parameter(0), value);
  return f;
}

function emitNorm(field: QuadraticEmitter): FunctionBuilder {
  const f = new FunctionBuilder("norm", ["i32", "i32"]);
  const value = field.reduce(f, loadCoordinate(f, field, f.parameter(1)));
  storeTwins(f, f.parameter(0), field.norm(f, value));
  return f;
}

function emitScaleConjugate(field: QuadraticEmitter): FunctionBuilder {
  const f = new FunctionBuilder("scaleConjugate", ["i32", "i32", "i32"]);
  const value = field.reduce(f, loadCoordinate(f, field, f.parameter(1)));
  storeTwins(f, f.parameter(0), field.scaleConjugate(f, value, loadTwins(f, f.parameter(2))));
  return f;
}

/** Two elements, one after the other, are the two lanes. Halving turns the engine's x·2^256 into x·2^255. */
function emitLoad(field: FieldEmitter): FunctionBuilder {
  const f = new FunctionBuilder("load", ["i32", "i32", "i32", "i32"]);
  const [out, elements, count] = [f.parameter(0), f.parameter(1), f.parameter(2)];
  const half = loadTwins(f, f.parameter(3));
  f.doWhile(
    () => {
      const twins = unpackPair(f, field, elements, i32.add(elements, i32.const(PACKED_BYTES)));
      storePair(f, out, i32.add(out, i32.const(ELEMENT_BYTES)), field.reduce(f, field.multiply(f, twins, half)));
      advance(f, out, 2 * ELEMENT_BYTES);
      advance(f, elements, 2 * PACKED_BYTES);
      advance(f, count, -1);
    },
    () => count,
  );
  return f;
}

function emitDenominators(name: string, slope: Slope, field: CoordinateField): FunctionBuilder {
  const f = new FunctionBuilder(name, ["i32", "i32", "i32", "i32", "i32"]);
  const [pairs, steps, differences, prefixes] = [f.parameter(0), f.parameter(1), f.parameter(2), f.parameter(3)];
  const product = loadCoordinate(f, field, f.parameter(4));
  f.doWhile(
    () => {
      const { a, b } = stepPoints(f, field, pairs);
      const difference = slope === "chord" ? field.subtract(f, b.x(), a.x()) : twice(field, f, a.y());
      storeTwins(f, prefixes, product);
      storeTwins(f, differences, difference);
      field.multiply(f, product, difference).forEach((limb, i) => f.set(product[i]!, limb));
      advance(f, pairs, STEP_BYTES);
      advance(f, prefixes, field.components * TWIN_BYTES);
      advance(f, differences, field.components * TWIN_BYTES);
      advance(f, steps, -1);
    },
    () => steps,
  );
  storeTwins(f, f.parameter(4), product);
  return f;
}

/** x = λ² − x_a − x_b and y = λ(x_a − x) − y_a, for the slope λ of the chord or tangent. */
function emitSums(name: string, slope: Slope, field: CoordinateField): FunctionBuilder {
  const f = new FunctionBuilder(name, ["i32", "i32", "i32", "i32", "i32"]);
  const [pairs, steps, differences, prefixes] = [f.parameter(0), f.parameter(1), f.parameter(2), f.parameter(3)];
  const inverse = loadCoordinate(f, field, f.parameter(4));
  const last = i32.add(steps, i32.const(-1));
  advance(f, pairs, i32.multiply(last, i32.const(STEP_BYTES)));
  advance(f, differences, i32.multiply(last, i32.const(field.components * TWIN_BYTES)));
  advance(f, prefixes, i32.multiply(last, i32.const(field.components * TWIN_BYTES)));
  f.doWhile(
    () => {
      const { a, b, sum } = stepPoints(f, field, pairs);
      const own = field.settle(f, field.multiply(f, inverse, loadCoordinate(f, field, prefixes)));
      field.multiply(f, inverse, loadCoordinate(f, field, differences)).forEach((limb, i) => f.set(inverse[i]!, limb));
      const [ax, ay] = [a.x(), a.y()];
      const rise =
        slope === "chord" ? field.subtract(f, b.y(), ay) : field.settle(f, thrice(field, f, field.square(f, ax)));
      const lambda = field.multiply(f, rise, own);
      const x = field.reduce(f, field.subtract(f, field.subtract(f, field.square(f, lambda), ax), b.x()));
      const y = field.reduce(f, field.subtract(f, field.multiply(f, lambda, field.subtract(f, ax, x)), ay));
      storePair(f, ...sum, x);
      storePair(f, ...sum, y, field.components * ELEMENT_BYTES);
      advance(f, pairs, -STEP_BYTES);
      advance(f, differences, -field.components * TWIN_BYTES);
      advance(f, prefixes, -field.components * TWIN_BYTES);
      advance(f, steps, -1);
    },
    () => steps,
  );
  storeTwins(f, f.parameter(4), inverse);
  return f;
}

interface TwinPoint {
  readonly x: () => Element;
  readonly y: () => Element;
}

/** The two pairs of a step. Coordinates are loaded where they are asked for. */
function stepPoints(
  f: FunctionBuilder,
  { components }: CoordinateField,
  pairs: Code,
): { readonly a: TwinPoint; readonly b: TwinPoint; readonly sum: readonly [Code, Code] } {
  const word = (pair: number, index: number): Code => f.let("i32", i32.load(pair * PAIR_BYTES + 4 * index, pairs));
  const point = (index: number): TwinPoint => {
    const [low, high] = [word(0, index), word(1, index)];
    const address = (signed: Code): Code => f.let("i32", i32.and(signed, i32.const(~NEGATED)));
    const [lowAddress, highAddress] = [address(low), address(high)];
    const coordinate = (offset: number): Code[] => loadPair(lowAddress, highAddress, offset, components * LIMBS);
    const signBit = (signed: Code): Code => i64.shiftLeft(i64.fromU32(signed), i64.const(63n));
    return {
      x: () => coordinate(0).map((limb) => f.let("v128", limb)),
      y: () => {
        const sign = f.let("v128", i64x2.withHigh(i64x2.splat(signBit(low)), signBit(high)));
        return coordinate(components * ELEMENT_BYTES).map((limb) => f.let("v128", v128.xor(limb, sign)));
      },
    };
  };
  return { a: point(0), b: point(1), sum: [word(0, 2), word(1, 2)] };
}

function loadCoordinate(f: FunctionBuilder, { components }: CoordinateField, address: Code): Element {
  return loadTwins(f, address, components * LIMBS);
}

function twice(field: CoordinateField, f: FunctionBuilder, value: Element): Element {
  return field.add(f, value, value);
}

function thrice(field: CoordinateField, f: FunctionBuilder, value: Element): Element {
  return field.add(f, value, twice(field, f, value));
}
