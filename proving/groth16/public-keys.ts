/** The public half of a key folder, checked on loading: what verifying and committing take. */
import { VerisumError } from "../../protocol/errors.ts";
import { guardVerificationKeys } from "../../protocol/key-guard.ts";
import type { KeyRule } from "../../protocol/key-guard.ts";
import { verificationKeysFromJson } from "../../protocol/key-json.ts";
import { PRESETS } from "../../protocol/parameters.ts";
import type { Preset } from "../../protocol/parameters.ts";
import type { CheckOnce } from "../../protocol/ports.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { strictJson } from "../../protocol/strict-json.ts";
import type { VerificationKeys } from "../../protocol/verification-key.ts";
import { G1_BYTES } from "../curve/bn254.ts";
import type { Curve } from "../curve/curve.ts";
import { powersAreConsistent } from "../curve/kzg.ts";
import { POWERS_FILE, readListedFile, readManifest, VERIFICATION_KEYS_FILE } from "./manifest.ts";
import type { KeyFiles, Manifest } from "./manifest.ts";

export interface PublicKeys {
  readonly manifest: Manifest;
  readonly preset: Preset;
  readonly verificationKeys: VerificationKeys;
  /** [tau^i]_1, affine points in the engine's bytes. */
  readonly powers: Uint8Array;
}

/**
 * Reads the verification keys and the powers of tau; checks digests, key guard and that the powers are of one tau.
 * @param random weights of the consistency check
 * @param once remembers that the powers passed; each call checks them if it is absent
 * @throws KEY_ARTIFACT_CORRUPT, KEY_REFUSED, POINT_NOT_ON_CURVE
 */
export async function loadPublicKeys(
  curve: Curve,
  folder: KeyFiles,
  random: RandomBytes,
  once: CheckOnce = (_name, _contents, check) => check(),
): Promise<PublicKeys> {
  const manifest = await readManifest(folder);
  const preset = PRESETS[manifest.preset];
  const verificationKeys = await readVerificationKeys(folder, manifest);
  guardVerificationKeys(verificationKeys, preset);
  const powers = await readListedFile(folder, manifest, POWERS_FILE);
  if (powers.length !== manifest.powers * G1_BYTES)
    throw new VerisumError("KEY_ARTIFACT_CORRUPT", "the powers of tau are not as many as the manifest says", {
      file: POWERS_FILE,
    });
  await once("powers", [powers, encodedKeys(verificationKeys)], async () => {
    if (await powersAreConsistent(curve, powers, verificationKeys.tau, random)) return;
    throw new VerisumError(
      "KEY_REFUSED",
      "the powers of tau do not belong together, or not to the verification key (powers-inconsistent)",
      { rule: "powers-inconsistent" satisfies KeyRule },
    );
  });
  return { manifest, preset, verificationKeys, powers };
}

/** As the folder has them, unchecked. @throws KEY_ARTIFACT_CORRUPT */
export async function readVerificationKeys(folder: KeyFiles, manifest: Manifest): Promise<VerificationKeys> {
  return verificationKeysFromJson(parseJson(await readListedFile(folder, manifest, VERIFICATION_KEYS_FILE)));
}

/** All of the verification keys as bytes, for their digest. */
export function encodedKeys(keys: VerificationKeys): Uint8Array {
  return new TextEncoder().encode(
    JSON.stringify(keys, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value)),
  );
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return strictJson(bytes);
  } catch (cause) {
    throw new VerisumError(
      "KEY_ARTIFACT_CORRUPT",
      `the verification keys are not JSON${cause instanceof SyntaxError ? `: ${cause.message}` : ""}`,
      { file: VERIFICATION_KEYS_FILE },
      { cause },
    );
  }
}
