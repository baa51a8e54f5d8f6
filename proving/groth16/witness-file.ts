/** Witness programs as files of a key folder: a sectioned container of header, coefficients and steps. */
import { VerisumError } from "../../protocol/errors.ts";
import { FIELD_ORDER } from "../../protocol/parameters.ts";
import { encodeScalars, readScalar, SCALAR_BYTES } from "../curve/bn254.ts";
import { readSections, writeSections } from "./binary-file.ts";
import { STEP, STEP_HEADER_WORDS, TERM_WORDS } from "./witness-program.ts";
import type { WitnessProgram } from "./witness-program.ts";

const MAGIC = "wprg";
const SECTION = { header: 1, coefficients: 2, steps: 3 } as const;
const WORD_BYTES = 4;
/** No integer of a circuit has more digits: sums are below the field's order. */
const MAX_DIGITS = 253;

/** All numbers are little-endian. */
export function encodeWitnessProgram(program: WitnessProgram): Uint8Array {
  return writeSections(MAGIC, [
    [SECTION.header, wordBytes([program.wireCount, program.givenStart, program.givenEnd])],
    [SECTION.coefficients, encodeScalars(program.coefficients)],
    [SECTION.steps, wordBytes(program.steps)],
  ]);
}

/**
 * Reads a program and checks that it defines every wire once, from wires defined before.
 * @throws KEY_ARTIFACT_CORRUPT
 */
export function decodeWitnessProgram(bytes: Uint8Array): WitnessProgram {
  const sections = readSections(bytes, MAGIC);
  const [wireCount, givenStart, givenEnd] = words(sections.get(SECTION.header)) as unknown as [number, number, number];
  const scalars = sections.get(SECTION.coefficients) ?? new Uint8Array(0);
  const view = new DataView(scalars.buffer, scalars.byteOffset, scalars.byteLength);
  const coefficients = Array.from({ length: scalars.length / SCALAR_BYTES }, (_, k) =>
    readScalar(view, k * SCALAR_BYTES),
  );
  const program = { wireCount, givenStart, givenEnd, coefficients, steps: words(sections.get(SECTION.steps)) };
  const reason = flawOf(program);
  if (reason !== undefined) throw new VerisumError("KEY_ARTIFACT_CORRUPT", `this is not a witness program: ${reason}`);
  return program;
}

function flawOf({ wireCount, givenStart, givenEnd, coefficients, steps }: WitnessProgram): string | undefined {
  if (!(givenStart <= givenEnd && givenEnd <= wireCount)) return "its inputs are not among its wires";
  if (coefficients.some((value) => value >= FIELD_ORDER)) return "a coefficient is not canonical";
  const known = new Uint8Array(wireCount).fill(1, givenStart, givenEnd);
  known[0] = 1;
  const learn = (wire: number): boolean => wire < wireCount && known[wire] === 0 && (known[wire] = 1) === 1;
  for (let at = 0; at < steps.length;) {
    const [operation, target] = [steps[at]!, steps[at + 1]!];
    const digits = operation === STEP.digits ? target : 0;
    const terms = at + STEP_HEADER_WORDS + digits;
    const end = terms + TERM_WORDS * (steps[at + 2]! + steps[at + 3]! + steps[at + 4]!);
    if (operation > STEP.digits || digits > MAX_DIGITS || end > steps.length) return "a step is malformed";
    for (let k = terms; k < end; k += TERM_WORDS)
      if (known[steps[k]!] !== 1 || steps[k + 1]! >= coefficients.length) return "a step reads what is not defined";
    const targets = operation === STEP.define ? [target] : Array.from(steps.subarray(at + STEP_HEADER_WORDS, terms));
    if (!targets.every(learn)) return "a wire is defined twice";
    at = end;
  }
  return known.includes(0) ? "a wire is not defined" : undefined;
}

function wordBytes(values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(values.length * WORD_BYTES);
  const view = new DataView(bytes.buffer);
  for (let k = 0; k < values.length; k++) view.setUint32(k * WORD_BYTES, values[k]!, true);
  return bytes;
}

function words(section: Uint8Array = new Uint8Array(0)): Uint32Array {
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  return Uint32Array.from({ length: section.length / WORD_BYTES }, (_, k) => view.getUint32(k * WORD_BYTES, true));
}
