/** The part of ffjavascript and snarkjs that the project uses; neither package ships types. */
declare module "ffjavascript" {
  /** A group of the curve. Points are little-endian Montgomery bytes, affine (2 coordinates) or Jacobian (3). */
  export interface WasmGroup {
    readonly F: { readonly n8: number };
    readonly zero: Uint8Array;
    readonly zeroAffine: Uint8Array;
    readonly gAffine: Uint8Array;
    add(a: Uint8Array, b: Uint8Array): Uint8Array;
    sub(a: Uint8Array, b: Uint8Array): Uint8Array;
    double(a: Uint8Array): Uint8Array;
    neg(a: Uint8Array): Uint8Array;
    isZero(a: Uint8Array): boolean;
    isValid(a: Uint8Array): boolean;
    eq(a: Uint8Array, b: Uint8Array): boolean;
    timesScalar(a: Uint8Array, scalar: bigint | Uint8Array): Uint8Array;
    toAffine(a: Uint8Array): Uint8Array;
    toUncompressed(a: Uint8Array): Uint8Array;
    fromRng(generator: ChaCha): Uint8Array;
    toObject(a: Uint8Array): readonly unknown[];
    fromObject(coordinates: readonly unknown[]): Uint8Array;
    batchLEMtoU(points: Uint8Array): Promise<Uint8Array>;
    batchLEMtoC(points: Uint8Array): Promise<Uint8Array>;
    batchToAffine(points: Uint8Array): Promise<Uint8Array>;
    /** Point i times first·increment^i; affine points, scalars in Montgomery form. */
    batchApplyKey(points: Uint8Array, first: Uint8Array, increment: Uint8Array): Promise<Uint8Array>;
    ifft(points: Uint8Array): Promise<Uint8Array>;
    multiExpAffine(bases: Uint8Array, scalars: Uint8Array): Promise<Uint8Array>;
  }
  export interface WasmScalarField {
    readonly n8: number;
    readonly s: number;
    readonly w: readonly Uint8Array[];
    e(value: bigint | number): Uint8Array;
    toObject(value: Uint8Array): bigint;
    add(a: Uint8Array, b: Uint8Array): Uint8Array;
    mul(a: Uint8Array, b: Uint8Array): Uint8Array;
    fromRng(generator: ChaCha): Uint8Array;
    fft(values: Uint8Array): Promise<Uint8Array>;
    ifft(values: Uint8Array): Promise<Uint8Array>;
    batchToMontgomery(values: Uint8Array): Promise<Uint8Array>;
    batchFromMontgomery(values: Uint8Array): Promise<Uint8Array>;
    batchApplyKey(values: Uint8Array, first: Uint8Array, increment: Uint8Array): Promise<Uint8Array>;
  }
  export interface ThreadTask {
    readonly cmd: "ALLOCSET" | "ALLOC" | "SET" | "CALL" | "GET";
    readonly [field: string]: unknown;
  }
  /** A WebAssembly memory, as far as it is used here. */
  export interface EngineMemory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  export interface ThreadManager {
    readonly concurrency: number;
    /** The module's bytes; only a single-threaded engine keeps them. */
    readonly code?: Uint8Array;
    readonly memory: EngineMemory;
    readonly instance: { readonly exports: Readonly<Record<string, (...pointers: number[]) => number>> };
    queueAction(tasks: readonly ThreadTask[]): Promise<Uint8Array[]>;
  }
  export interface WasmCurve {
    readonly G1: WasmGroup;
    readonly G2: WasmGroup;
    readonly Fr: WasmScalarField;
    readonly tm: ThreadManager;
    /** True if the product of the pairings of alternating points of G1 and G2 is one. */
    pairingEq(...points: readonly Uint8Array[]): Promise<boolean>;
    terminate(): Promise<void>;
  }
  /** The generator that snarkjs's files derive points and secrets with. */
  export class ChaCha {
    constructor(seed: readonly number[]);
  }
  /** @param plugins told of the module before it is built; never for a shared engine that is open already */
  export function getCurveFromName(
    name: "bn128",
    singleThread?: boolean,
    plugins?: (builder: { build(): Uint8Array }) => void,
  ): Promise<WasmCurve>;
}

declare module "snarkjs" {
  export interface SnarkjsProof {
    readonly pi_a: readonly string[];
    readonly pi_b: readonly (readonly string[])[];
    readonly pi_c: readonly string[];
  }
  type Source = string | Uint8Array | { readonly type: "mem"; readonly data: Uint8Array };
  export const groth16: {
    prove(key: Source, witness: Source): Promise<{ proof: SnarkjsProof; publicSignals: string[] }>;
    verify(key: unknown, publicSignals: readonly string[], proof: unknown): Promise<boolean>;
  };
  export const zKey: {
    exportVerificationKey(key: Source): Promise<Record<string, unknown>>;
  };
  export const curves: { getCurveFromName(name: "bn128"): Promise<unknown> };
  export const powersOfTau: {
    newAccumulator(curve: unknown, power: number, file: string): Promise<unknown>;
    contribute(from: string, to: string, name: string, entropy: string): Promise<unknown>;
    /** @param value hexadecimal */
    beacon(from: string, to: string, name: string, value: string, iterationBits: number): Promise<unknown>;
    truncate(from: string, template: string): Promise<unknown>;
    preparePhase2(from: string, to: string): Promise<unknown>;
    verify(file: string): Promise<boolean>;
  };
  export const wtns: {
    calculate(input: Record<string, unknown>, wasm: Source, witness: { type: "mem"; data?: Uint8Array }): Promise<void>;
  };
}
