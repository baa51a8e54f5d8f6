/** The chunk circuits of this repository as keys use them: compiled, audited, rows oriented. Needs the compiler. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { ChunkKind, Preset } from "../../protocol/parameters.ts";
import { chunkWires } from "./chunk-circuit.ts";
import { compileCircuit, PROJECT_ROOT } from "./circom.ts";
import type { CompiledCircuit } from "./circom.ts";
import { auditCommittedWires } from "./circuit-audit.ts";
import { keepWideWiresLeft, readR1cs } from "./r1cs.ts";
import type { ConstraintSystem } from "./r1cs.ts";

/** Where compiled circuits and keys are kept unless a caller says otherwise. */
export const DEFAULT_BUILD_ROOT = path.join(PROJECT_ROOT, "build");

/** Path of a kind's main component, relative to the project's root. */
export function mainPathOf(kind: ChunkKind): string {
  return `circuits/main/${kind.name}.circom`;
}

/**
 * Compiles a kind and reads its constraints as keys use them: audited, wide wires on the left.
 * @throws CIRCUIT_COMPILATION
 */
export async function compileChunk(
  preset: Preset,
  kind: ChunkKind,
  buildRoot = DEFAULT_BUILD_ROOT,
): Promise<{ circuit: CompiledCircuit; system: ConstraintSystem }> {
  const circuit = await compileCircuit(mainPathOf(kind), path.join(buildRoot, "circuits"));
  const wires = chunkWires(kind.coordinates, preset.coordinateBits);
  const system = keepWideWiresLeft(readR1cs(await readFile(circuit.r1csPath)), wires.committedEnd);
  auditCommittedWires(system, wires, await readFile(circuit.symbolsPath, "utf8"));
  return { circuit, system };
}
