/** Checks of the task's keys on this disk: there, the published ones, the contract's, and checked. */
import { readdir } from "node:fs/promises";
import { isVerisumError } from "../../protocol/errors.ts";
import { verificationKeysFromJson } from "../../protocol/key-json.ts";
import { strictJson } from "../../protocol/strict-json.ts";
import { toHex } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { hashVerificationKeys } from "../../protocol/verification-key.ts";
import { checkedContents } from "../../proving/groth16/checked-key-files.ts";
import { POWERS_FILE, readListedFile, readManifest, VERIFICATION_KEYS_FILE } from "../../proving/groth16/manifest.ts";
import { passedBefore } from "../../proving/node/check-record.ts";
import { keyFolder } from "../../proving/node/key-folder.ts";
import type { SharedRecords } from "../../storage/own-record.ts";
import { failed, ok, warning } from "./check.ts";
import type { Finding } from "./check.ts";

export interface KeysReading {
  readonly folder: string;
  /** Undefined if the folder is not there. */
  readonly files: readonly string[] | undefined;
  /** Why a file is not the manifest's. */
  readonly damage?: string;
  /** Of the verification keys in it. */
  readonly keysHash?: Hex;
  /** Names of the kinds whose proving files are all there, and of those that passed the check of their bases. */
  readonly kinds: readonly string[];
  readonly checked: readonly string[];
}

/**
 * Reads every file of a key folder and compares it with its digest.
 * @param records where the user's programs remember which keys passed the check of their bases
 */
export async function readKeys(folder: string, records?: SharedRecords): Promise<KeysReading> {
  const files = await readdir(folder).catch(() => undefined);
  const nothing = { folder, files, kinds: [], checked: [] };
  if (files === undefined || files.length === 0) return { ...nothing, files: undefined };
  try {
    return { ...nothing, ...(await readListed(folder, files, await passedBefore(folder, records))) };
  } catch (error) {
    if (!isVerisumError(error)) throw error;
    return { ...nothing, damage: error.message };
  }
}

async function readListed(
  folder: string,
  files: readonly string[],
  passed: Awaited<ReturnType<typeof passedBefore>>,
): Promise<Pick<KeysReading, "kinds" | "checked"> & { readonly keysHash: Hex }> {
  const disk = keyFolder(folder);
  const manifest = await readManifest(disk);
  const read = (name: string): Promise<Uint8Array> => readListedFile(disk, manifest, name);
  const powers = await read(POWERS_FILE);
  const json = await read(VERIFICATION_KEYS_FILE);
  const keys = verificationKeysFromJson(strictJson(json));
  const present = manifest.kinds.filter(({ zkey, wireBases, witnessProgram, constraints }) =>
    [zkey, wireBases, witnessProgram, constraints].every((name) => files.includes(name)),
  );
  const checked: string[] = [];
  for (const kind of present) {
    const contents = checkedContents({
      ...{ powers, keys, zkey: await read(kind.zkey), wireBases: await read(kind.wireBases) },
      ...{ witnessProgram: await read(kind.witnessProgram), constraints: await read(kind.constraints) },
    });
    if (await passed(kind.name, contents)) checked.push(kind.name);
  }
  return { keysHash: toHex(hashVerificationKeys(keys)), kinds: present.map(({ name }) => name), checked };
}

/** @param keysHash the contract's */
export function keysFound(
  { folder, files, damage, keysHash: held, kinds, checked }: KeysReading,
  keysHash: Hex,
): Finding {
  if (files === undefined)
    return warning(
      `${folder} is not there`,
      "the task's keys have not been fetched",
      "The first start fetches and checks them, from --peer or the task's nodes. Nothing has to be done.",
    );
  if (damage !== undefined)
    return warning(
      `${folder} is damaged`,
      damage,
      "The next start fetches the keys again by itself. If it happens again, look for a failing disk.",
    );
  if (held !== keysHash)
    return failed(
      `${folder} has keys with the hash ${held}`,
      `the contract verifies with others, whose hash is ${keysHash}`,
      "Do not use them. Ask the operator which keys are the task's: with these no proof is accepted.",
    );
  const value = `powers and verification keys are the contract's; proving keys of ${kinds.length === 0 ? "no kind of chunk" : kinds.join(", ")}`;
  const unchecked = kinds.filter((name) => !checked.includes(name));
  if (unchecked.length === 0) return ok(kinds.length === 0 ? value : `${value}, checked against their circuits`);
  return warning(
    value,
    `not yet checked against the circuit: ${unchecked.join(", ")}`,
    "A client checks them when it starts next, which takes some seconds. Nothing has to be done.",
  );
}
