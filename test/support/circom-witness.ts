/**
 * The witness calculator that circom generates (its WebAssembly interface, version 2): what the project's own writer
 * must equal.
 */
import type { ChunkShape } from "../../proving/groth16/chunk-witness.ts";
import { histogram, tableInverses } from "../../proving/groth16/chunk-witness.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { multiply } from "../../protocol/field.ts";
import type { ChunkChallenge, ChunkWitness } from "../../protocol/ports.ts";
import { poseidonPair } from "../../protocol/poseidon.ts";
import { SCALAR_BYTES, writeScalar } from "../../proving/curve/bn254.ts";

/** Values of the main component's inputs; arrays in order. */
export type CircuitInputs = Readonly<Record<string, ArrayLike<number | bigint>>>;

interface Calculator {
  init(sanityCheck: number): void;
  getWitnessSize(): number;
  getFieldNumLen32(): number;
  writeSharedRWMemory(word: number, value: number): void;
  readSharedRWMemory(word: number): number;
  setInputSignal(hashHigh: number, hashLow: number, index: number): void;
  getInputSize(): number;
  getWitness(wire: number): void;
}

/** The engine's global, which the compiler settings do not declare. */
interface WasmGlobal {
  compile(code: Uint8Array): Promise<object>;
  instantiate(
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, (...values: number[]) => void>>>>,
  ): Promise<{ exports: unknown }>;
}
const wasm = (globalThis as unknown as { WebAssembly: WasmGlobal }).WebAssembly;

/** A compiled calculator; every calculation gets an instance of its own, so nothing of a witness lingers in it. */
export class CircomWitness {
  private readonly module: object;

  private constructor(module: object) {
    this.module = module;
  }

  static async load(code: Uint8Array): Promise<CircomWitness> {
    return new CircomWitness(await wasm.compile(code));
  }

  /**
   * All wires in order, 32-byte little-endian words.
   * @throws WITNESS_UNSATISFIED if an input is missing or a constraint fails
   */
  async calculate(inputs: CircuitInputs): Promise<Uint8Array> {
    const calculator = await this.instance();
    calculator.init(0);
    const word = new DataView(new ArrayBuffer(SCALAR_BYTES));
    let set = 0;
    for (const [name, values] of Object.entries(inputs)) {
      const [high, low] = fnv1a(name);
      for (let i = 0; i < values.length; i++, set++) {
        writeScalar(word, 0, BigInt(values[i]!));
        for (let k = 0; k < SCALAR_BYTES / 4; k++) calculator.writeSharedRWMemory(k, word.getUint32(4 * k, true));
        calculator.setInputSignal(high, low, i);
      }
    }
    if (set !== calculator.getInputSize())
      throw new VerisumError(
        "WITNESS_UNSATISFIED",
        `the circuit takes ${calculator.getInputSize()} inputs, ${set} were given`,
      );
    return readWitness(calculator);
  }

  private async instance(): Promise<Calculator> {
    const ignore = (): void => undefined;
    const exceptionHandler = (code: number): never => {
      throw new VerisumError("WITNESS_UNSATISFIED", "the circuit's inputs contradict a constraint", {
        calculatorCode: code,
      });
    };
    const runtime = {
      exceptionHandler,
      printErrorMessage: ignore,
      writeBufferMessage: ignore,
      showSharedRWMemory: ignore,
    };
    return (await wasm.instantiate(this.module, { runtime })).exports as Calculator;
  }
}

function readWitness(calculator: Calculator): Uint8Array {
  const size = calculator.getWitnessSize();
  const witness = new Uint8Array(size * SCALAR_BYTES);
  const view = new DataView(witness.buffer);
  for (let wire = 0; wire < size; wire++) {
    calculator.getWitness(wire);
    for (let k = 0; k < SCALAR_BYTES / 4; k++)
      view.setUint32(wire * SCALAR_BYTES + 4 * k, calculator.readSharedRWMemory(k), true);
  }
  return witness;
}

/** The two halves of FNV-1a (64 bit), by which the calculator finds an input. */
function fnv1a(name: string): [high: number, low: number] {
  let hash = 0xcbf2_9ce4_8422_2325n;
  for (const byte of new TextEncoder().encode(name))
    hash = ((hash ^ BigInt(byte)) * 0x100_0000_01b3n) & 0xffff_ffff_ffff_ffffn;
  return [Number(hash >> 32n), Number(hash & 0xffff_ffffn)];
}

/** A chunk's inputs by name. Nothing is checked: that is the circuit's part. */
export function chunkInputs(shape: ChunkShape, witness: ChunkWitness, challenge: ChunkChallenge): CircuitInputs {
  const counts = histogram(shape, witness.rows);
  const inverses = tableInverses(shape, challenge.alpha);
  return {
    alpha: [challenge.alpha],
    z: [challenge.z],
    bound: [challenge.bound],
    hPrevious: [poseidonPair(witness.accumulatedBefore, witness.saltBefore)],
    row: witness.rows,
    count: counts,
    mask: witness.masks,
    blinder: [witness.blinder],
    accumulatedBefore: [witness.accumulatedBefore],
    saltBefore: [witness.saltBefore],
    salt: [witness.salt],
    inverse: Array.from(witness.rows, (row) => inverses[row]!),
    weighted: inverses.map((value, entry) => multiply(value, BigInt(counts[entry]!))),
  };
}
