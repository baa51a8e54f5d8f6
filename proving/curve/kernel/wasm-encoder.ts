/** A small assembler for WebAssembly modules of one memory: just the instructions that the kernel uses. */

/** Bytes of instructions that leave one value (an operand), or none (a statement). */
export type Code = readonly number[];

export type ValueType = "i32" | "i64" | "v128";

const TYPE: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, v128: 0x7b };
const FUNCTION_TYPE = 0x60;
const EMPTY_BLOCK = 0x40;
const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  return [...bytes, value];
}

function signed(value: bigint): number[] {
  const bytes: number[] = [];
  for (; value < -64n || value > 63n; value >>= 7n) bytes.push(Number(value & 0x7fn) | 0x80);
  return [...bytes, Number(value & 0x7fn)];
}

const simd = (opcode: number): Code => [0xfd, ...unsigned(opcode)];
const operator =
  (opcode: Code) =>
  (...operands: readonly Code[]): Code => [...operands.flat(), ...opcode];
const access =
  (opcode: Code, ...lane: readonly number[]) =>
  (offset: number, ...operands: readonly Code[]): Code => [
    ...operands.flat(),
    ...opcode,
    0,
    ...unsigned(offset),
    ...lane,
  ];

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(BigInt(value))],
  add: operator([0x6a]),
  multiply: operator([0x6c]),
  and: operator([0x71]),
  load: access([0x28]),
};

export const i64 = {
  const: (value: bigint): Code => [0x42, ...signed(BigInt.asIntN(64, value))],
  and: operator([0x83]),
  or: operator([0x84]),
  add: operator([0x7c]),
  sub: operator([0x7d]),
  shiftRightSigned: operator([0x87]),
  store: access([0x37]),
  shiftLeft: operator([0x86]),
  shiftRight: operator([0x88]),
  fromU32: operator([0xad]),
  load: access([0x29]),
};

/** Two 64-bit lanes. Integers and floats share the type, so a float's bits are an integer for free. */
export const v128 = {
  load: access(simd(0x00)),
  store: access(simd(0x0b)),
  loadLow: access(simd(0x5d)),
  loadHigh: access(simd(0x57), 1),
  storeLow: access(simd(0x5b), 0),
  storeHigh: access(simd(0x5b), 1),
  and: operator(simd(0x4e)),
  or: operator(simd(0x50)),
  xor: operator(simd(0x51)),
  /** The high lane of a, then the low lane of b. */
  swapLanes: operator([...simd(0x0d), ...Array.from({ length: 16 }, (_, i) => i + 8)]),
};

export const i64x2 = {
  splat: operator(simd(0x12)),
  withHigh: operator([...simd(0x1e), 1]),
  extractLow: operator([...simd(0x1d), 0]),
  extractHigh: operator([...simd(0x1d), 1]),
  add: operator(simd(0xce)),
  shiftRight: operator(simd(0xcd)),
};

export const f64x2 = {
  nearest: operator(simd(0x94)),
  add: operator(simd(0xf0)),
  sub: operator(simd(0xf1)),
  mul: operator(simd(0xf2)),
  /** a·b + c; rounded once where the processor has the instruction (all of AArch64, x86 since 2013), else twice. */
  relaxedMultiplyAdd: operator(simd(0x107)),
};

/** The body of one exported function: its locals and statements. */
export class FunctionBuilder {
  private readonly types: ValueType[] = [];
  private readonly start: number[] = [];
  private readonly body: number[] = [];
  readonly name: string;
  readonly parameters: readonly ValueType[];

  constructor(name: string, parameters: readonly ValueType[]) {
    this.name = name;
    this.parameters = parameters;
  }

  parameter(index: number): Code {
    return [0x20, ...unsigned(index)];
  }

  /** A new local, zero at first. */
  local(type: ValueType): Code {
    this.types.push(type);
    return [0x20, ...unsigned(this.parameters.length + this.types.length - 1)];
  }

  /** A new local that holds a value. */
  let(type: ValueType, value: Code): Code {
    const local = this.local(type);
    this.set(local, value);
    return local;
  }

  /** A new local whose value is computed before everything else. */
  letAtStart(type: ValueType, value: Code): Code {
    const local = this.local(type);
    this.start.push(...value, 0x21, ...local.slice(1));
    return local;
  }

  set(local: Code, value: Code): void {
    this.body.push(...value, 0x21, ...local.slice(1));
  }

  do(statement: Code): void {
    for (const byte of statement) this.body.push(byte);
  }

  /** Repeats while the condition holds after a pass; the first pass is unconditional. */
  doWhile(pass: () => void, condition: () => Code): void {
    this.body.push(0x03, EMPTY_BLOCK);
    pass();
    this.body.push(...condition(), 0x0d, 0, 0x0b);
  }

  encode(): number[] {
    const locals = this.types.flatMap((type) => [1, TYPE[type]]);
    const content = [...unsigned(this.types.length), ...locals, ...this.start, ...this.body, 0x0b];
    return [...unsigned(content.length), ...content];
  }
}

/** A module that imports `env.memory` and exports the functions. */
export function encodeModule(functions: readonly FunctionBuilder[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters }) => [
    FUNCTION_TYPE,
    ...vector(parameters.map((type) => [TYPE[type]])),
    0,
  ]);
  const memory = [...text("env"), ...text("memory"), 0x02, 0x00, 1];
  const exports = functions.map(({ name }, index) => [...text(name), 0x00, ...unsigned(index)]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(SECTION.type, types),
    ...section(SECTION.import, [memory]),
    ...section(
      SECTION.function,
      functions.map((_, index) => unsigned(index)),
    ),
    ...section(SECTION.export, exports),
    ...section(
      SECTION.code,
      functions.map((builder) => builder.encode()),
    ),
  ]);
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const content = vector(items);
  return [id, ...unsigned(content.length), ...content];
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function text(name: string): number[] {
  return [...unsigned(name.length), ...[...name].map((letter) => letter.charCodeAt(0))];
}
