/** A folder of keys, checked on loading: digests, key guard and the consistency of the powers of tau. */
import path from "node:path";
import { G1_BYTES } from "../curve/bn254.ts";
import type { Curve } from "../curve/curve.ts";
import { powersAreConsistent } from "../curve/kzg.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { guardVerificationKeys } from "../../protocol/key-guard.ts";
import { verificationKeysFromJson } from "../../protocol/key-json.ts";
import { PRESETS } from "../../protocol/parameters.ts";
import type { Preset } from "../../protocol/parameters.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import type { VerificationKeys } from "../../protocol/verification-key.ts";
import { chunkWires } from "./chunk-circuit.ts";
import { POWERS_FILE, readListedFile, readManifest, VERIFICATION_KEYS_FILE } from "./manifest.ts";
import type { Manifest } from "./manifest.ts";

/** What proving one chunk kind takes. */
export interface ProvingFiles {
  readonly zkey: Uint8Array;
  /** Where `zkey` was read from, for other provers. */
  readonly zkeyPath: string;
  readonly wireBases: Uint8Array;
  readonly witnessProgram: Uint8Array;
}

export interface KeySet {
  readonly directory: string;
  readonly manifest: Manifest;
  readonly preset: Preset;
  readonly verificationKeys: VerificationKeys;
  /** [tau^i]_1, affine points in the engine's bytes. */
  readonly powers: Uint8Array;
  /** Reads and checks a kind's proving files. @throws KEY_ARTIFACT_CORRUPT */
  provingFiles(kindIndex: number): Promise<ProvingFiles>;
}

/**
 * Loads a key folder. Proving files are read when first asked for.
 * @param random weights of the consistency check
 * @throws KEY_ARTIFACT_CORRUPT, KEY_REFUSED, POINT_NOT_ON_CURVE
 */
export async function loadKeySet(curve: Curve, directory: string, random: RandomBytes): Promise<KeySet> {
  const manifest = await readManifest(directory);
  const preset = PRESETS[manifest.preset] as Preset | undefined;
  if (preset === undefined) throw new VerisumError("KEY_ARTIFACT_CORRUPT", "the manifest names no known preset");
  const json = new TextDecoder().decode(await readListedFile(directory, manifest, VERIFICATION_KEYS_FILE));
  const verificationKeys = verificationKeysFromJson(JSON.parse(json));
  guardVerificationKeys(verificationKeys, preset);
  const powers = await readListedFile(directory, manifest, POWERS_FILE);
  if (
    powers.length !== manifest.powers * G1_BYTES ||
    !(await powersAreConsistent(curve, powers, verificationKeys.tau, random))
  ) {
    throw new VerisumError(
      "KEY_ARTIFACT_CORRUPT",
      "the powers of tau do not belong to one another or to the verification key",
      { file: POWERS_FILE },
    );
  }
  return {
    directory,
    manifest,
    preset,
    verificationKeys,
    powers,
    provingFiles: (kindIndex) => readProvingFiles(directory, manifest, preset, kindIndex),
  };
}

async function readProvingFiles(
  directory: string,
  manifest: Manifest,
  preset: Preset,
  kindIndex: number,
): Promise<ProvingFiles> {
  const kind = preset.kinds[kindIndex];
  const files = manifest.kinds[kindIndex];
  if (kind === undefined || files === undefined || files.name !== kind.name) {
    throw new VerisumError("KEY_ARTIFACT_CORRUPT", `the key folder has no chunk kind ${kindIndex}`, { kindIndex });
  }
  const [zkey, wireBases, witnessProgram] = await Promise.all([
    readListedFile(directory, manifest, files.zkey),
    readListedFile(directory, manifest, files.wireBases),
    readListedFile(directory, manifest, files.witnessProgram),
  ]);
  const wires = chunkWires(kind.coordinates, preset.coordinateBits);
  if (wireBases.length !== (wires.committedEnd - wires.rowStart) * G1_BYTES) {
    throw new VerisumError("KEY_ARTIFACT_CORRUPT", "the committed bases are not as many as the committed wires", {
      file: files.wireBases,
    });
  }
  return { zkey, zkeyPath: path.join(directory, files.zkey), wireBases, witnessProgram };
}
