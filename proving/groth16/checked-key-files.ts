/**
 * Proving files that are used only once they are checked, against a constraint system that this release knows. Who
 * wrote the folder is a stranger (docs/protocol.md, section 9).
 */
import type { Curve } from "../curve/curve.ts";
import { VerisumError } from "../../protocol/errors.ts";
import type { ChunkKind, Preset } from "../../protocol/parameters.ts";
import type { CheckOnce } from "../../protocol/ports.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import type { ChunkVerificationKey, VerificationKeys } from "../../protocol/verification-key.ts";
import { chunkWires, PUBLIC_INPUT_WIRES } from "./chunk-circuit.ts";
import { CONSTRAINT_SYSTEM_DIGESTS } from "./generated/constraint-systems.ts";
import { checkProvingKey } from "./key-check.ts";
import { digestOf } from "../node/key-folder.ts";
import { encodedKeys } from "./public-keys.ts";
import { keepWideWiresLeft, readR1cs } from "./r1cs.ts";
import { encodeWitnessProgram } from "./witness-file.ts";
import { witnessProgram } from "./witness-program.ts";

/** The kind, and what belongs to the whole folder and has been checked. */
export interface CheckedAgainst {
  readonly preset: Preset;
  readonly kind: ChunkKind;
  readonly keys: VerificationKeys;
  readonly verificationKey: ChunkVerificationKey;
  readonly powers: Uint8Array;
}

/** One kind's files as they were read. */
export interface UncheckedKind extends CheckedAgainst {
  readonly zkey: Uint8Array;
  readonly wireBases: Uint8Array;
  readonly witnessProgram: Uint8Array;
  /** The circuit's .r1cs file. */
  readonly constraints: Uint8Array;
}

export interface KeyCheckEnvironment {
  readonly curve: Curve;
  readonly random: RandomBytes;
  /** Called when a check begins that takes seconds. */
  readonly onStep?: (description: string) => void;
}

/**
 * Checks one kind's files, unless files of the same digests have passed before.
 * @throws KEY_REFUSED with `details.rule`, KEY_ARTIFACT_CORRUPT
 */
export async function checkKindOnce(
  once: CheckOnce,
  unchecked: UncheckedKind,
  environment: KeyCheckEnvironment,
): Promise<void> {
  const { kind } = unchecked;
  // Before the record, which an earlier release with another circuit may have written.
  requireKnownConstraints(kind, unchecked.constraints);
  await once(kind.name, checkedContents(unchecked), async () => {
    environment.onStep?.(`checking the proving key of ${kind.name} against its circuit`);
    await checkKind(unchecked, environment);
  });
}

/** All that the check of a kind reads, in the order of its record. */
export function checkedContents({
  zkey,
  wireBases,
  witnessProgram: program,
  constraints,
  powers,
  keys,
}: Omit<UncheckedKind, "preset" | "kind" | "verificationKey">): readonly Uint8Array[] {
  return [zkey, wireBases, program, constraints, powers, encodedKeys(keys)];
}

/** Checks one kind's files, whatever passed before. @throws KEY_REFUSED with `details.rule`, KEY_ARTIFACT_CORRUPT */
export async function checkKind(unchecked: UncheckedKind, { curve, random }: KeyCheckEnvironment): Promise<void> {
  requireKnownConstraints(unchecked.kind, unchecked.constraints);
  const { preset, kind, keys, verificationKey, powers, zkey, wireBases } = unchecked;
  const wires = chunkWires(kind.coordinates, preset.coordinateBits);
  const system = keepWideWiresLeft(readR1cs(unchecked.constraints), wires.committedEnd);
  const program = encodeWitnessProgram(witnessProgram(system, PUBLIC_INPUT_WIRES.alpha, wires.inputsEnd));
  if (digestOf(program).sha256 !== digestOf(unchecked.witnessProgram).sha256)
    throw new VerisumError(
      "KEY_REFUSED",
      `the witness program of ${kind.name} is not the circuit's (witness-program)`,
      {
        rule: "witness-program",
      },
    );
  const committed = { start: wires.rowStart, end: wires.committedEnd };
  await checkProvingKey(curve, { system, committed, powers, keys, kind: verificationKey }, { zkey, wireBases }, random);
}

/** Refuses constraints other than those that this release was built with. */
function requireKnownConstraints({ name }: ChunkKind, constraints: Uint8Array): void {
  const { sha256 } = digestOf(constraints);
  if (CONSTRAINT_SYSTEM_DIGESTS[name] === sha256) return;
  throw new VerisumError(
    "KEY_REFUSED",
    `the constraint system of ${name} has sha-256 ${sha256} and is not the one of this release (circuit-unknown)`,
    { rule: "circuit-unknown", expected: CONSTRAINT_SYSTEM_DIGESTS[name] ?? "none", actual: sha256 },
  );
}
