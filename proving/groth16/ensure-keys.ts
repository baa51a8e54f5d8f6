/** Development keys on disk: made once per preset, circuits and sizes, then loaded. */
import { createHash } from "node:crypto";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Curve } from "../curve/curve.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { guardVerificationKeys } from "../../protocol/key-guard.ts";
import { verificationKeysToJson } from "../../protocol/key-json.ts";
import type { ChunkKind, Preset } from "../../protocol/parameters.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import type { ChunkVerificationKey } from "../../protocol/verification-key.ts";
import { chunkWires, PUBLIC_INPUT_WIRES } from "./chunk-circuit.ts";
import { circuitHash } from "./circom.ts";
import { drawCommonSecrets, makeChunkKeys, makeCommonKeys } from "./dev-setup.ts";
import { publishFolder } from "../../storage/durable-file.ts";
import { withLock } from "../../storage/lock.ts";
import type { SharedRecords } from "../../storage/own-record.ts";
import { loadKeySet } from "./key-set.ts";
import type { KeySet } from "./key-set.ts";
import { digestOf } from "../node/key-folder.ts";
import {
  DEVELOPMENT_NOTICE,
  KEY_FORMAT,
  kindFiles,
  MANIFEST_FILE,
  POWERS_FILE,
  VERIFICATION_KEYS_FILE,
} from "./manifest.ts";
import type { FileDigest, Manifest, ManifestKind } from "./manifest.ts";
import { encodeWitnessProgram } from "./witness-file.ts";
import { witnessProgram } from "./witness-program.ts";
import { compileChunk, DEFAULT_BUILD_ROOT, mainPathOf } from "./compile-chunk.ts";
import { makeFolder, PUBLIC_FOLDER } from "../../storage/folder.ts";

/** Which keys. */
export interface KeyRequest {
  readonly preset: Preset;
  /** The preset's first so many kinds, as in the contract's key. All kinds of one folder share tau. */
  readonly kindCount: number;
  /** Elements of the longest vector to commit to; rounded up to a power of two. */
  readonly powers: number;
}

export interface KeyEnvironment {
  readonly curve: Curve;
  readonly random: RandomBytes;
  /** Where compiled circuits and keys are kept; `build` in the project by default. */
  readonly buildRoot?: string;
  /** Where the user's processes remember what passed; beside the folder if absent. */
  readonly records?: SharedRecords;
  /** Called before each slow step with its description. */
  readonly onStep?: (description: string) => void;
}

/**
 * Loads the development keys for the request, making them first if they do not exist.
 * Safe to call from several processes: one makes the keys, the others wait.
 * @throws PARAMETERS_INVALID, CIRCUIT_COMPILATION, KEY_ARTIFACT_CORRUPT
 */
export async function ensureDevKeys(request: KeyRequest, environment: KeyEnvironment): Promise<KeySet> {
  const { preset, kindCount } = request;
  if (!Number.isInteger(kindCount) || kindCount < 1 || kindCount > preset.kinds.length) {
    throw new VerisumError(
      "PARAMETERS_INVALID",
      `preset ${preset.name} has ${preset.kinds.length} chunk kinds, not ${kindCount}`,
      { kindCount },
    );
  }
  const buildRoot = environment.buildRoot ?? DEFAULT_BUILD_ROOT;
  const kinds = preset.kinds.slice(0, kindCount);
  // The check of a key needs the powers of twice its domain.
  const leastPowers = 2 ** (1 + Math.max(...kinds.map(({ domainBits }) => domainBits)));
  const powers = 2 ** Math.ceil(Math.log2(Math.max(request.powers, leastPowers)));
  const hashes = await Promise.all(kinds.map((kind) => circuitHash(mainPathOf(kind))));
  const content = createHash("sha256")
    .update(JSON.stringify([KEY_FORMAT, preset.name, hashes, powers]))
    .digest("hex");
  const directory = path.join(buildRoot, "keys", `${preset.name}-${content.slice(0, 16)}`);
  if (!(await exists(directory))) {
    await makeFolder(path.dirname(directory), PUBLIC_FOLDER);
    await withLock(`${directory}.lock`, async () => {
      if (!(await exists(directory))) await makeKeys(directory, preset, kinds, powers, buildRoot, environment);
    });
  }
  const { curve, random, onStep, records } = environment;
  return loadKeySet(curve, directory, random, onStep, records);
}

async function makeKeys(
  directory: string,
  preset: Preset,
  kinds: readonly ChunkKind[],
  powers: number,
  buildRoot: string,
  environment: KeyEnvironment,
): Promise<void> {
  const { curve, random, onStep } = environment;
  const temporary = `${directory}.tmp`; // the lock's holder alone writes there
  await rm(temporary, { recursive: true, force: true });
  await makeFolder(temporary, PUBLIC_FOLDER);
  const files: Record<string, FileDigest> = {};
  const save = async (name: string, bytes: Uint8Array): Promise<void> => {
    files[name] = digestOf(bytes);
    await writeFile(path.join(temporary, name), bytes);
  };
  const secrets = drawCommonSecrets(random);
  onStep?.(`making ${powers} powers of tau (${DEVELOPMENT_NOTICE})`);
  const common = await makeCommonKeys(curve, secrets, powers);
  await save(POWERS_FILE, common.powers);
  const chunkKeys: ChunkVerificationKey[] = [];
  const manifestKinds: ManifestKind[] = [];
  for (const kind of kinds) {
    onStep?.(`compiling ${kind.name}`);
    const { circuit, system } = await compileChunk(preset, kind, buildRoot);
    onStep?.(`making keys of ${kind.name} (${DEVELOPMENT_NOTICE})`);
    const wires = chunkWires(kind.coordinates, preset.coordinateBits);
    const keys = await makeChunkKeys(
      curve,
      system,
      { start: wires.rowStart, end: wires.committedEnd },
      secrets,
      random,
    );
    chunkKeys.push(keys.verificationKey);
    const named = kindFiles(kind.name);
    await save(named.zkey, keys.zkey);
    await save(named.wireBases, keys.wireBases);
    await save(named.constraints, await readFile(circuit.r1csPath));
    await save(
      named.witnessProgram,
      encodeWitnessProgram(witnessProgram(system, PUBLIC_INPUT_WIRES.alpha, wires.inputsEnd)),
    );
    manifestKinds.push({ name: kind.name, circuitHash: circuit.hash, ...named });
  }
  const verificationKeys = { alpha: common.alpha, beta: common.beta, tau: common.tau, kinds: chunkKeys };
  guardVerificationKeys(verificationKeys, preset);
  await save(
    VERIFICATION_KEYS_FILE,
    new TextEncoder().encode(`${JSON.stringify(verificationKeysToJson(verificationKeys), null, 2)}\n`),
  );
  const manifest: Manifest = {
    format: KEY_FORMAT,
    preset: preset.name,
    insecure: true,
    notice: DEVELOPMENT_NOTICE,
    powers,
    kinds: manifestKinds,
    files,
  };
  await writeFile(path.join(temporary, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
  await publishFolder(temporary, directory);
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
