/**
 * What the build asserts about a compiled chunk circuit, because the soundness of D rests on it (docs/protocol.md,
 * section 5).
 */
import { VerisumError } from "../../protocol/errors.ts";
import type { ChunkWires } from "./chunk-circuit.ts";
import type { ConstraintSystem, SparseMatrix } from "./r1cs.ts";

/**
 * Checks that the compiler left every committed signal, and every other input, a wire of its own at the expected place,
 * and that the committed columns are linearly independent: otherwise one D would open two ways. A column with an entry
 * in which no other committed wire takes part is independent of the rest, and its base is not zero; every column must
 * have one.
 *
 * @param symbols the compiler's .sym file
 * @throws CIRCUIT_COMPILATION naming the wire
 */
export function auditCommittedWires(system: ConstraintSystem, wires: ChunkWires, symbols: string): void {
  if (system.publicCount !== wires.publicCount) throw broken(`${system.publicCount} public signals`, 0);
  const names = wireNames(symbols);
  for (let wire = 1; wire < wires.inputsEnd; wire++) {
    const expected = signalAt(wires, wire);
    if (names.get(expected) !== wire) throw broken(`${expected} is not wire ${wire}`, wire);
  }
  const independent = privateColumns(system, wires);
  for (let wire = wires.rowStart; wire < wires.committedEnd; wire++) {
    if (!independent.has(wire)) throw broken(`the column of ${signalAt(wires, wire)} has no entry of its own`, wire);
  }
}

/** Committed wires with a matrix entry in a row where they are the only committed wire of that matrix. */
function privateColumns(system: ConstraintSystem, wires: ChunkWires): Set<number> {
  const found = new Set<number>();
  for (const matrix of [system.a, system.b, system.c]) {
    for (let row = 0; row < system.constraintCount; row++) {
      const only = onlyCommittedWire(matrix, row, wires);
      if (only !== undefined) found.add(only);
    }
  }
  return found;
}

function onlyCommittedWire(matrix: SparseMatrix, row: number, wires: ChunkWires): number | undefined {
  let only: number | undefined;
  for (let k = matrix.rowStart[row]!; k < matrix.rowStart[row + 1]!; k++) {
    const wire = matrix.wire[k]!;
    if (wire < wires.rowStart || wire >= wires.committedEnd || matrix.coefficient[k] === 0n) continue;
    if (only !== undefined) return undefined;
    only = wire;
  }
  return only;
}

/** The name of the input or output signal at a wire, as `Chunk` declares them. */
function signalAt(wires: ChunkWires, wire: number): string {
  const heads = ["y", "h", "alpha", "z", "bound", "hPrevious"];
  if (wire <= wires.publicCount) return `main.${heads[wire - 1]!}`;
  if (wire < wires.countStart) return `main.row[${wire - wires.rowStart}]`;
  if (wire < wires.maskStart) return `main.count[${wire - wires.countStart}]`;
  if (wire < wires.blinder) return `main.mask[${wire - wires.maskStart}]`;
  if (wire < wires.inverseStart)
    return `main.${["blinder", "accumulatedBefore", "saltBefore", "salt"][wire - wires.blinder]!}`;
  return wire < wires.weightedStart
    ? `main.inverse[${wire - wires.inverseStart}]`
    : `main.weighted[${wire - wires.weightedStart}]`;
}

/** Wire by signal name; −1 marks a signal that was optimised away. Lines are label, wire, component, name. */
function wireNames(symbols: string): Map<string, number> {
  const names = new Map<string, number>();
  for (const line of symbols.split("\n")) {
    const [, wire, , name] = line.split(",");
    if (name !== undefined && name.indexOf(".", 5) < 0) names.set(name, Number(wire));
  }
  return names;
}

function broken(reason: string, wire: number): VerisumError {
  return new VerisumError(
    "CIRCUIT_COMPILATION",
    `the compiled circuit breaks a rule that the keys rest on: ${reason}`,
    { wire },
  );
}
