/**
 * Key folders as a dishonest operator publishes them: every digest in the manifest is right, and so is the hash on
 * chain. One kind of the tiny preset, with secrets of its own. For tests only.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Curve } from "../../proving/curve/curve.ts";
import { chunkMainSource, chunkWires, PUBLIC_INPUT_WIRES } from "../../proving/groth16/chunk-circuit.ts";
import { compileCircuit, PROJECT_ROOT } from "../../proving/groth16/circom.ts";
import { DEFAULT_BUILD_ROOT, mainPathOf } from "../../proving/groth16/compile-chunk.ts";
import { drawCommonSecrets, makeChunkKeys, makeCommonKeys } from "../../proving/groth16/dev-setup.ts";
import type { ChunkKeys, CommonKeys } from "../../proving/groth16/dev-setup.ts";
import { KEY_FORMAT, MANIFEST_FILE, POWERS_FILE, VERIFICATION_KEYS_FILE } from "../../proving/groth16/manifest.ts";
import type { Manifest } from "../../proving/groth16/manifest.ts";
import { keepWideWiresLeft, readR1cs } from "../../proving/groth16/r1cs.ts";
import type { ConstraintSystem } from "../../proving/groth16/r1cs.ts";
import { encodeWitnessProgram } from "../../proving/groth16/witness-file.ts";
import { witnessProgram } from "../../proving/groth16/witness-program.ts";
import { digestOf } from "../../proving/node/key-folder.ts";
import type { TaskKeys } from "../../operator/prepare-task.ts";
import { verificationKeysToJson } from "../../protocol/key-json.ts";
import { PRESETS } from "../../protocol/parameters.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import type { ChunkVerificationKey } from "../../protocol/verification-key.ts";

const PRESET = PRESETS.tiny;
const KIND = PRESET.kinds[0]!;
const WIRES = chunkWires(KIND.coordinates, PRESET.coordinateBits);

/** A circuit with keys for it. */
export interface CircuitKeys extends ChunkKeys {
  readonly system: ConstraintSystem;
  /** The .r1cs file. */
  readonly constraints: Uint8Array;
  readonly witnessProgram: Uint8Array;
}

/** Keys of the project's circuit and of one that writes 31 coordinates into h, under the same secrets. */
export interface OperatorKeys {
  readonly common: CommonKeys;
  readonly honest: CircuitKeys;
  readonly leaking: CircuitKeys;
}

export async function makeOperatorKeys(curve: Curve, random: RandomBytes): Promise<OperatorKeys> {
  const secrets = drawCommonSecrets(random);
  const common = await makeCommonKeys(curve, secrets, 2 ** (KIND.domainBits + 1));
  const keysOf = async (mainPath: string): Promise<CircuitKeys> => {
    const circuit = await compileCircuit(mainPath, path.join(DEFAULT_BUILD_ROOT, "circuits"));
    const constraints = new Uint8Array(await readFile(circuit.r1csPath));
    const system = keepWideWiresLeft(readR1cs(constraints), WIRES.committedEnd);
    const committed = { start: WIRES.rowStart, end: WIRES.committedEnd };
    return {
      ...(await makeChunkKeys(curve, system, committed, secrets, random)),
      system,
      constraints,
      witnessProgram: encodeWitnessProgram(witnessProgram(system, PUBLIC_INPUT_WIRES.alpha, WIRES.inputsEnd)),
    };
  };
  return { common, honest: await keysOf(mainPathOf(KIND)), leaking: await keysOf(await writeLeakingCircuit()) };
}

/** The chunk circuit with h <== Σ row_i·2^(8i) in place of the hash. @returns its path from the project's root */
async function writeLeakingCircuit(): Promise<string> {
  const folder = path.join(PROJECT_ROOT, "build", "test-circuits");
  await mkdir(folder, { recursive: true });
  const chunk = await readFile(path.join(PROJECT_ROOT, "circuits", "lib", "chunk.circom"), "utf8");
  const leaking = chunk
    .replaceAll('include "./', 'include "../../circuits/lib/')
    .replaceAll('include "../generated', 'include "../../circuits/generated')
    .replace(
      "h <== chain.hashAfter;",
      "var rows = 0;\n    for (var i = 0; i < 31; i++) rows += row[i] * 2 ** (8 * i);\n    h <== rows;",
    );
  if (!leaking.includes("h <== rows;")) throw new Error("the chunk circuit has no line that puts out h");
  await writeFile(path.join(folder, "leaking.circom"), leaking);
  const main = chunkMainSource(KIND.coordinates, PRESET.coordinateBits, ".").replace("chunk.circom", "leaking.circom");
  await writeFile(path.join(folder, "leaking_main.circom"), main);
  return "build/test-circuits/leaking_main.circom";
}

/** What the operator publishes in place of honest files. */
export interface Published {
  readonly keys: CircuitKeys;
  readonly powers?: Uint8Array;
  /** What the contract is given. */
  readonly verificationKey?: ChunkVerificationKey;
}

/** The folder's files under a manifest that is right about all of them. */
export function folderOf({ common }: OperatorKeys, published: Published): TaskKeys {
  const { keys, powers = common.powers, verificationKey = keys.verificationKey } = published;
  const { alpha, beta, tau } = common;
  const verificationKeys = { alpha, beta, tau, kinds: [verificationKey] };
  const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const names = {
    zkey: `${KIND.name}.zkey`,
    wireBases: `${KIND.name}.wires`,
    witnessProgram: `${KIND.name}.witness`,
    constraints: `${KIND.name}.r1cs`,
  };
  const files = {
    [POWERS_FILE]: powers,
    [VERIFICATION_KEYS_FILE]: json(verificationKeysToJson(verificationKeys)),
    [names.zkey]: keys.zkey,
    [names.wireBases]: keys.wireBases,
    [names.witnessProgram]: keys.witnessProgram,
    [names.constraints]: keys.constraints,
  };
  const manifest: Manifest = {
    format: KEY_FORMAT,
    preset: PRESET.name,
    insecure: false,
    notice: "",
    powers: powers.length / 64,
    kinds: [{ name: KIND.name, circuitHash: "", ...names }],
    files: Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, digestOf(bytes)])),
  };
  return { files: { ...files, [MANIFEST_FILE]: json(manifest) }, verificationKeys };
}
