/**
 * Writes all wires of a chunk's circuit: the inputs by copying, what follows from them by the circuit's witness
 * program.
 */
import { multiply, toField } from "../../protocol/field.ts";
import { FIELD_ORDER, NORM_ACCUMULATOR_BITS } from "../../protocol/parameters.ts";
import type { ChunkChallenge, ChunkWitness } from "../../protocol/ports.ts";
import { poseidonPair } from "../../protocol/poseidon.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { SCALAR_BYTES, writeScalar } from "../curve/bn254.ts";
import { chunkWires, PUBLIC_INPUT_WIRES } from "./chunk-circuit.ts";
import { assertWires, histogram, squaredNorm, tableInverses } from "./chunk-witness.ts";
import type { ChunkShape } from "./chunk-witness.ts";
import { STEP, STEP_HEADER_WORDS, TERM_WORDS } from "./witness-program.ts";
import type { WitnessProgram } from "./witness-program.ts";

const SCALAR_WORDS = SCALAR_BYTES / 4;

/** A program made ready to run. */
export interface WitnessWriter {
  /**
   * All wires in order, 32-byte little-endian words.
   * @throws UPDATE_OVER_BOUND if the accumulated norm exceeds the bound, or a row is outside the table;
   *   WITNESS_UNSATISFIED if the rest contradicts a constraint, or alpha + row = 0, of probability 2^-240
   */
  write(witness: ChunkWitness, challenge: ChunkChallenge): Uint8Array;
}

/** @throws KEY_ARTIFACT_CORRUPT if the program is not of a chunk circuit of this shape */
export function witnessWriter(shape: ChunkShape, program: WitnessProgram): WitnessWriter {
  const wires = chunkWires(shape.coordinates, shape.coordinateBits);
  if (program.givenStart !== PUBLIC_INPUT_WIRES.alpha || program.givenEnd !== wires.inputsEnd) {
    throw new VerisumError("KEY_ARTIFACT_CORRUPT", "the witness program belongs to another circuit than the chunk");
  }
  const centred = program.coefficients.map((value) => (value > FIELD_ORDER / 2n ? value - FIELD_ORDER : value));
  return {
    write(witness, challenge) {
      const { accumulatedBefore, saltBefore, salt, rows, masks, blinder } = witness;
      assertWires(witness);
      assertChain(witness);
      const counts = histogram(shape, rows);
      const accumulated = accumulatedBefore + squaredNorm(shape, counts);
      if (accumulated > challenge.bound) {
        throw new VerisumError("UPDATE_OVER_BOUND", "the squared norm exceeds the bound", {
          excess: accumulated - challenge.bound,
        });
      }
      const values = new Array<bigint>(program.wireCount);
      const bytes = new Uint8Array(new SharedArrayBuffer(program.wireCount * SCALAR_BYTES)); // read by several threads
      const words = new Uint32Array(bytes.buffer);
      const view = new DataView(bytes.buffer);
      const put = (wire: number, value: bigint): void => {
        values[wire] = value;
        writeScalar(view, wire * SCALAR_BYTES, value);
      };
      const putSmall = (wire: number, value: number): void => {
        values[wire] = BigInt(value);
        words[wire * SCALAR_WORDS] = value;
      };

      put(0, 1n);
      const { alpha, z, bound, hPrevious } = PUBLIC_INPUT_WIRES;
      put(alpha, challenge.alpha);
      put(z, challenge.z);
      put(bound, challenge.bound);
      put(hPrevious, poseidonPair(accumulatedBefore, saltBefore));
      rows.forEach((row, i) => putSmall(wires.rowStart + i, row));
      counts.forEach((count, t) => putSmall(wires.countStart + t, count));
      masks.forEach((mask, k) => put(wires.maskStart + k, mask));
      put(wires.blinder, blinder);
      put(wires.accumulatedBefore, accumulatedBefore);
      put(wires.saltBefore, saltBefore);
      put(wires.salt, salt);

      const inverses = tableInverses(shape, challenge.alpha);
      inverses.forEach((inverse, t) => put(wires.weightedStart + t, multiply(inverse, BigInt(counts[t]!))));
      const table = new Uint8Array(inverses.length * SCALAR_BYTES);
      const tableView = new DataView(table.buffer);
      const tableWords = new Uint32Array(table.buffer);
      inverses.forEach((inverse, t) => writeScalar(tableView, t * SCALAR_BYTES, inverse));
      for (let i = 0; i < rows.length; i++) {
        const [from, to] = [rows[i]! * SCALAR_WORDS, (wires.inverseStart + i) * SCALAR_WORDS];
        for (let k = 0; k < SCALAR_WORDS; k++) words[to + k] = tableWords[from + k]!;
        values[wires.inverseStart + i] = inverses[rows[i]!]!;
      }
      run(program.steps, centred, values, put);
      return bytes;
    },
  };
}

/** The circuit takes the range of the norm before it from the chunk before it. */
function assertChain({ accumulatedBefore, saltBefore, salt }: ChunkWitness): void {
  if (
    accumulatedBefore >> BigInt(NORM_ACCUMULATOR_BITS) === 0n &&
    [saltBefore, salt].every((value) => value >= 0n && value < FIELD_ORDER)
  )
    return;
  throw new VerisumError("WITNESS_UNSATISFIED", "the norm before this chunk, or a salt, is out of range");
}

function run(
  steps: Uint32Array,
  coefficients: readonly bigint[],
  values: readonly bigint[],
  put: (wire: number, value: bigint) => void,
): void {
  const sum = (start: number, terms: number): bigint => {
    let total = 0n;
    for (let k = start; k < start + TERM_WORDS * terms; k += TERM_WORDS) {
      const coefficient = coefficients[steps[k + 1]!]!;
      const value = values[steps[k]!]!;
      total += coefficient === 1n ? value : coefficient * value;
    }
    return total;
  };
  for (let at = 0; at < steps.length;) {
    const [operation, target, a, b, c] = [steps[at]!, steps[at + 1]!, steps[at + 2]!, steps[at + 3]!, steps[at + 4]!];
    const aStart = at + STEP_HEADER_WORDS + (operation === STEP.digits ? target : 0);
    const bStart = aStart + TERM_WORDS * a;
    const cStart = bStart + TERM_WORDS * b;
    const value = toField((a === 0 || b === 0 ? 0n : (sum(aStart, a) % FIELD_ORDER) * sum(bStart, b)) + sum(cStart, c));
    if (operation === STEP.define) put(target, value);
    else if (operation === STEP.check ? value !== 0n : value >> BigInt(target) !== 0n) {
      throw new VerisumError("WITNESS_UNSATISFIED", "the chunk's inputs contradict a constraint", { step: at });
    } else if (operation === STEP.digits)
      for (let k = 0; k < target; k++) put(steps[at + STEP_HEADER_WORDS + k]!, (value >> BigInt(k)) & 1n);
    at = cStart + TERM_WORDS * c;
  }
}
