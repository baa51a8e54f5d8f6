/** A compiled chunk circuit with its solver and an honest set of inputs to start cheating from. For tests only. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { chunkMainSource, chunkWires } from "../../proving/groth16/chunk-circuit.ts";
import type { ChunkWires } from "../../proving/groth16/chunk-circuit.ts";
import { histogram } from "../../proving/groth16/chunk-witness.ts";
import type { ChunkShape } from "../../proving/groth16/chunk-witness.ts";
import { compileCircuit, PROJECT_ROOT } from "../../proving/groth16/circom.ts";
import { keepWideWiresLeft, readR1cs } from "../../proving/groth16/r1cs.ts";
import type { ConstraintSystem } from "../../proving/groth16/r1cs.ts";
import { randomElement } from "../../protocol/field.ts";
import { MASKS_PER_CHUNK, NORM_ACCUMULATOR_BITS } from "../../protocol/parameters.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { ConstraintSolver } from "./constraint-solver.ts";
import type { Wires } from "./constraint-solver.ts";

/** Inputs by name; arrays where the circuit has them. Any value may be wrong. */
export interface ChunkInputValues {
  readonly alpha: bigint;
  readonly z: bigint;
  readonly bound: bigint;
  /** By default the right one for accumulatedBefore and saltBefore. */
  readonly hPrevious?: bigint;
  readonly row: readonly bigint[];
  readonly count: readonly bigint[];
  readonly mask: readonly bigint[];
  readonly blinder: bigint;
  readonly accumulatedBefore: bigint;
  readonly saltBefore: bigint;
  readonly salt: bigint;
}

export interface ChunkModel {
  readonly shape: ChunkShape;
  readonly wires: ChunkWires;
  readonly system: ConstraintSystem;
  readonly symbols: string;
  readonly wasm: Uint8Array;
  readonly solver: ConstraintSolver;
  /** The wire of a signal inside the circuit, as `main.chain.after`. */
  wireOf(signal: string): number;
  /** The witness with these inputs; what is not overridden follows from the constraints as far as they can be kept. */
  solve(values: ChunkInputValues, overrides?: Wires): bigint[];
}

/** Wires of the public signals. */
export const PUBLIC_WIRES = { y: 1, h: 2, alpha: 3, z: 4, bound: 5, hPrevious: 6 } as const;

/** Compiles an instance of its own for a shape that no preset has. */
export async function customChunk(shape: ChunkShape): Promise<ChunkModel> {
  const folder = path.join(PROJECT_ROOT, "build", "test-circuits");
  await mkdir(folder, { recursive: true });
  const name = `chunk_${shape.coordinates}x${shape.coordinateBits}`;
  await writeFile(
    path.join(folder, `${name}.circom`),
    chunkMainSource(shape.coordinates, shape.coordinateBits, "../../circuits/lib"),
  );
  return chunkModel(shape, `build/test-circuits/${name}.circom`);
}

export async function chunkModel(shape: ChunkShape, mainPath: string): Promise<ChunkModel> {
  const circuit = await compileCircuit(mainPath, path.join(PROJECT_ROOT, "build", "circuits"));
  const wires = chunkWires(shape.coordinates, shape.coordinateBits);
  const system = keepWideWiresLeft(readR1cs(await readFile(circuit.r1csPath)), wires.committedEnd);
  const symbols = await readFile(circuit.symbolsPath, "utf8");
  const wireByName = new Map(
    symbols
      .split("\n")
      .map((line) => line.split(","))
      .map(([, wire, , name]) => [name, Number(wire)]),
  );
  const wireOf = (signal: string): number => {
    const wire = wireByName.get(signal);
    if (wire === undefined || wire < 0) throw new Error(`${signal} has no wire`);
    return wire;
  };
  const digits = (["afterBits", "slackBits"] as const).map((part) => ({
    source: part === "afterBits" ? wireOf("main.chain.after") : wireOf("main.chain.slackBits.in"),
    bits: Array.from({ length: NORM_ACCUMULATOR_BITS }, (_, k) => wireOf(`main.chain.${part}.out[${k}]`)),
  }));
  const inputWires = [
    PUBLIC_WIRES.alpha,
    PUBLIC_WIRES.z,
    PUBLIC_WIRES.bound,
    ...Array.from({ length: wires.salt - wires.publicCount }, (_, k) => wires.publicCount + 1 + k),
  ];
  const solver = new ConstraintSolver(system, inputWires, digits);
  return {
    shape,
    wires,
    system,
    symbols,
    wasm: await readFile(circuit.wasmPath),
    solver,
    wireOf,
    solve: (values, overrides = new Map()) => {
      const previous: Wires =
        values.hPrevious === undefined ? new Map() : new Map([[PUBLIC_WIRES.hPrevious, values.hPrevious]]);
      return solver.solve(inputsByWire(wires, values), new Map([...previous, ...overrides]));
    },
  };
}

function inputsByWire(wires: ChunkWires, values: ChunkInputValues): Wires {
  const map = new Map<number, bigint>();
  for (const name of ["alpha", "z", "bound"] as const) map.set(PUBLIC_WIRES[name], values[name]);
  values.row.forEach((value, i) => map.set(wires.rowStart + i, value));
  values.count.forEach((value, t) => map.set(wires.countStart + t, value));
  values.mask.forEach((value, k) => map.set(wires.maskStart + k, value));
  for (const name of ["blinder", "accumulatedBefore", "saltBefore", "salt"] as const)
    map.set(wires[name], values[name]);
  return map;
}

/** Honest inputs with small random coordinates, in the middle of a chain, one below the bound's slack of `slack`. */
export function honestInputs(shape: ChunkShape, random: RandomBytes, slack = 5n): ChunkInputValues {
  const offset = 2 ** (shape.coordinateBits - 1);
  const bytes = random(shape.coordinates);
  const rows = Uint16Array.from(bytes, (byte) => offset + (byte % 7) - 3);
  const counts = histogram(shape, rows);
  const accumulatedBefore = 1000n;
  const norm = rows.reduce((sum, row) => sum + BigInt((row - offset) ** 2), 0n);
  const [alpha, z, blinder, saltBefore, salt] = Array.from({ length: 5 }, () => randomElement(random)) as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  return {
    alpha,
    z,
    bound: accumulatedBefore + norm + slack,
    row: Array.from(rows, BigInt),
    count: Array.from(counts, BigInt),
    mask: Array.from({ length: MASKS_PER_CHUNK }, () => randomElement(random)),
    blinder,
    accumulatedBefore,
    saltBefore,
    salt,
  };
}
