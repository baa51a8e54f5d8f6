/** The key folder that a ceremony ends with: its files, verification keys, and a manifest that names the transcript. */
import path from "node:path";
import { verificationKeysToJson } from "../../protocol/key-json.ts";
import { KEY_FORMAT, kindFiles, MANIFEST_FILE, POWERS_FILE, VERIFICATION_KEYS_FILE } from "../groth16/manifest.ts";
import type { FileDigest, Manifest } from "../groth16/manifest.ts";
import { digestOf } from "../node/key-folder.ts";
import { requireContributors, verifySetup } from "./setup.ts";
import type { SetupEnvironment, VerifiedSetup } from "./setup.ts";
import { setupFiles, TRANSCRIPT_FOLDER, writeSetup } from "./setup-folder.ts";
import type { NamedFiles } from "./setup-folder.ts";

/**
 * Verifies a setup and writes it as a key folder.
 * @param cidOf the CID of a published directory with these files
 * @throws CEREMONY_UNFINISHED, and what `verifySetup` throws
 */
export async function exportSetup(
  folder: string,
  out: string,
  cidOf: (files: NamedFiles) => Promise<string>,
  environment: SetupEnvironment,
): Promise<VerifiedSetup> {
  const setup = await verifySetup(folder, environment, ({ transcript }) => requireContributors(transcript));
  const transcript = await cidOf(setup.transcriptFiles);
  const { start, verificationKeys } = setup.transcript;
  const { read } = setupFiles(folder);
  const names = start.kinds.flatMap(({ name }) => Object.values(kindFiles(name)));
  await writeSetup(out, async (save) => {
    const files: Record<string, FileDigest> = {};
    const saveListed = async (name: string, bytes: Uint8Array): Promise<void> => {
      files[name] = digestOf(bytes);
      await save(name, bytes);
    };
    for (const name of [POWERS_FILE, ...names]) await saveListed(name, await read(name));
    await saveListed(VERIFICATION_KEYS_FILE, json(verificationKeysToJson(verificationKeys)));
    await save(MANIFEST_FILE, json(manifestOf(setup, transcript, files)));
    for (const [name, bytes] of Object.entries(setup.transcriptFiles))
      await save(path.join(TRANSCRIPT_FOLDER, name), bytes);
  });
  return setup;
}

function manifestOf(
  { transcript: { start, contributors } }: VerifiedSetup,
  transcript: string,
  files: Readonly<Record<string, FileDigest>>,
): Manifest {
  return {
    format: KEY_FORMAT,
    preset: start.preset,
    insecure: false,
    notice: "",
    setup: { transcript, contributors },
    powers: start.powers.count,
    kinds: start.kinds.map(({ name, circuitHash }) => ({ name, circuitHash, ...kindFiles(name) })),
    files,
  };
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, undefined, 2)}\n`);
}
