/**
 * A setup on disk: the files of a key folder, and the transcript in a folder inside. Nothing in it is secret. Each
 * command reads one folder and writes another, which appears when it is complete.
 */
import { rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { VerisumError } from "../../protocol/errors.ts";
import type { Files } from "../../protocol/ports.ts";
import { listDirectory, publishFolder, readIfPresent } from "../../storage/durable-file.ts";
import { ceremonyRefused } from "./transcript.ts";
import { makeFolder, PUBLIC_FOLDER } from "../../storage/folder.ts";

export const TRANSCRIPT_FOLDER = "transcript";

/** Files by their names in the folder. */
export type NamedFiles = Readonly<Record<string, Uint8Array>>;

/** A folder's files; what is missing is refused by name. */
export function setupFiles(folder: string): Files {
  return {
    read: async (name) => {
      const file = await readIfPresent(path.join(folder, name));
      if (file === undefined) throw ceremonyRefused("files", `${path.join(folder, name)} is missing`, { file: name });
      // Not a Buffer, whose slices share its memory.
      return new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
    },
  };
}

/** The transcript's files. @throws CEREMONY_REFUSED if there are none */
export async function readTranscript(folder: string): Promise<NamedFiles> {
  const directory = path.join(folder, TRANSCRIPT_FOLDER);
  const names = [...(await listDirectory(directory))].sort();
  if (names.length === 0) throw ceremonyRefused("files", `${directory} holds no transcript`);
  const { read } = setupFiles(directory);
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(name)] as const)));
}

/** Files by name, as a transcript's reader takes them. */
export function filesIn(files: NamedFiles): Files {
  return {
    read: async (name) => {
      const file = Object.hasOwn(files, name) ? files[name] : undefined;
      if (file === undefined) throw ceremonyRefused("files", `the transcript has no ${name}`, { file: name });
      return file;
    },
  };
}

/**
 * Writes a new folder as one step.
 * @param write is given a function that adds a file
 * @throws USAGE if there is something in its place
 */
export async function writeSetup(
  folder: string,
  write: (save: (name: string, bytes: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<void> {
  if (await exists(folder))
    throw new VerisumError("USAGE", `${folder} is there already: name a new folder`, { folder });
  const temporary = `${folder}.tmp`;
  await rm(temporary, { recursive: true, force: true });
  await makeFolder(path.join(temporary, TRANSCRIPT_FOLDER), PUBLIC_FOLDER);
  try {
    await write((name, bytes) => writeFile(path.join(temporary, name), bytes));
    await publishFolder(temporary, folder);
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true });
    throw cause;
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
