/** A folder of keys with the proving files, checked on loading. */
import path from "node:path";
import { VerisumError } from "../../protocol/errors.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { G1_BYTES } from "../curve/bn254.ts";
import type { Curve } from "../curve/curve.ts";
import { checksOf } from "../node/check-record.ts";
import { keyFolder } from "../node/key-folder.ts";
import type { SharedRecords } from "../../storage/own-record.ts";
import { checkKindOnce } from "./checked-key-files.ts";
import type { CheckedAgainst } from "./checked-key-files.ts";
import { chunkWires } from "./chunk-circuit.ts";
import { readListedFile } from "./manifest.ts";
import { loadPublicKeys } from "./public-keys.ts";
import type { PublicKeys } from "./public-keys.ts";
import { WorkQueue } from "./work-queue.ts";

/** What proving one chunk kind takes. */
export interface ProvingFiles {
  readonly zkey: Uint8Array;
  /** Where `zkey` was read from, for other provers. */
  readonly zkeyPath: string;
  readonly wireBases: Uint8Array;
  readonly witnessProgram: Uint8Array;
}

export interface KeySet extends PublicKeys {
  readonly directory: string;
  /** Reads a kind's proving files; every base of them has been checked. @throws KEY_ARTIFACT_CORRUPT, KEY_REFUSED */
  provingFiles(kindIndex: number): Promise<ProvingFiles>;
}

/**
 * Loads a key folder. Proving files are read when first asked for.
 * @param random weights of the checks
 * @param onStep told of each check that takes seconds
 * @param records where the user's processes remember what passed; beside the folder if absent
 * @throws KEY_ARTIFACT_CORRUPT, KEY_REFUSED, POINT_NOT_ON_CURVE
 */
export async function loadKeySet(
  curve: Curve,
  directory: string,
  random: RandomBytes,
  onStep?: (description: string) => void,
  records?: SharedRecords,
): Promise<KeySet> {
  const environment = { curve, random, ...(onStep === undefined ? {} : { onStep }) };
  const once = await checksOf(directory, records);
  const keys = await loadPublicKeys(curve, keyFolder(directory), random, once);
  // One at a time: each takes memory.
  const checks = new WorkQueue(1);
  return {
    ...keys,
    directory,
    provingFiles: async (kindIndex) => {
      const { constraints, ...files } = await readProvingFiles(directory, keys, kindIndex);
      const unchecked = { ...uncheckedKind(keys, kindIndex), constraints, ...files };
      await checks.run(() => checkKindOnce(once, unchecked, environment));
      return files;
    },
  };
}

function uncheckedKind({ preset, verificationKeys, powers }: PublicKeys, kindIndex: number): CheckedAgainst {
  const [kind, verificationKey] = [preset.kinds[kindIndex]!, verificationKeys.kinds[kindIndex]!];
  return { preset, kind, keys: verificationKeys, verificationKey, powers };
}

async function readProvingFiles(
  directory: string,
  { manifest, preset, verificationKeys }: PublicKeys,
  kindIndex: number,
): Promise<ProvingFiles & { readonly constraints: Uint8Array }> {
  const kind = preset.kinds[kindIndex];
  const files = manifest.kinds[kindIndex];
  const isThere = files?.name === kind?.name && verificationKeys.kinds[kindIndex] !== undefined;
  if (kind === undefined || files === undefined || !isThere) {
    throw new VerisumError("KEY_ARTIFACT_CORRUPT", `the key folder has no chunk kind ${kindIndex}`, { kindIndex });
  }
  const folder = keyFolder(directory);
  const [zkey, wireBases, witnessProgram, constraints] = await Promise.all([
    readListedFile(folder, manifest, files.zkey),
    readListedFile(folder, manifest, files.wireBases),
    readListedFile(folder, manifest, files.witnessProgram),
    readListedFile(folder, manifest, files.constraints),
  ]);
  const wires = chunkWires(kind.coordinates, preset.coordinateBits);
  if (wireBases.length !== (wires.committedEnd - wires.rowStart) * G1_BYTES) {
    throw new VerisumError("KEY_ARTIFACT_CORRUPT", "the committed bases are not as many as the committed wires", {
      file: files.wireBases,
    });
  }
  return { zkey, zkeyPath: path.join(directory, files.zkey), wireBases, witnessProgram, constraints };
}
