/** The data that a participant connects: a file that is read where it lies, or a copy in the page's folder. */
import { createWriteStream } from "node:fs";
import { readdir, rename, rm } from "node:fs/promises";
import { basename, isAbsolute, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { inspectData } from "../../learning/inspect.ts";
import type { ExpectedData } from "../../learning/inspect.ts";
import { ensure, VerisumError } from "../../protocol/errors.ts";
import type { PageData } from "./state.ts";
import { makeFolder } from "../../storage/folder.ts";

/** Most that a page sends over; larger files are named by their path. */
const MAX_KEPT_BYTES = 1 << 30;

/** A file, the column that is to be predicted, and its classes in order where neither file nor task settles it. */
export interface ConnectedData {
  readonly path: string;
  readonly name: string;
  readonly isKept: boolean;
  readonly label: string | null;
  readonly classes: string | null;
}

/**
 * Writes what the page sends into the folder, in place of what was there once it is whole.
 * @param name of the user's file, of which the ending counts
 * @throws DATASET_TOO_LARGE
 */
export async function keepData(folder: string, name: string, content: Readable): Promise<ConnectedData> {
  const plain = basename(name.replaceAll("\\", "/"))
    .replace(/[^A-Za-z0-9._-]/g, "_")
    .slice(-100);
  ensure(/^[^.].*\.[A-Za-z0-9]+$/.test(plain), "DATASET_NOT_FOUND", `${name} has no ending that tells its format`, {
    name,
  });
  const [path, unfinished] = [join(folder, plain), join(folder, ".unfinished")];
  await makeFolder(folder);
  let bytes = 0;
  content.on("data", (part: Buffer) => {
    bytes += part.length;
    if (bytes > MAX_KEPT_BYTES)
      content.destroy(
        new VerisumError("DATASET_TOO_LARGE", `${name} has more than ${MAX_KEPT_BYTES} bytes: give its path instead`, {
          name,
        }),
      );
  });
  try {
    await pipeline(content, createWriteStream(unfinished, { mode: 0o600 }));
  } catch (cause) {
    await rm(unfinished, { force: true });
    throw cause;
  }
  await rename(unfinished, path);
  for (const other of await readdir(folder)) if (other !== plain) await rm(join(folder, other));
  return { path, name: basename(name), isKept: true, label: null, classes: null };
}

/** A file or folder of this machine. @throws DATASET_NOT_FOUND if the path could mean several places */
export function dataAt(path: string): ConnectedData {
  ensure(
    isAbsolute(path) && !path.includes("?"),
    "DATASET_NOT_FOUND",
    `${path} is no whole path of this machine, as /home/me/table.csv is`,
    { path },
  );
  return { path, name: basename(path), isKept: false, label: null, classes: null };
}

/** As `--data` names it. @throws DATASET_SPEC_INVALID if a name cannot be said there */
export function specOf({ path, label, classes }: ConnectedData): string {
  const options = Object.entries({ label, classes }).flatMap(([name, value]) => {
    if (value === null) return [];
    ensure(!/[&=?]/.test(value), "DATASET_SPEC_INVALID", `${name} ${value} cannot be given here: it holds &, = or ?`, {
      [name]: value,
    });
    return [`${name}=${value}`];
  });
  return options.length === 0 ? path : `${path}?${options.join("&")}`;
}

/** The preview, as `fl-client data inspect` prints it. @throws what opening the file throws */
export async function previewOf(data: ConnectedData, task: ExpectedData | undefined): Promise<PageData> {
  const { report } = await inspectData(specOf(data), task);
  return {
    name: data.name,
    isKept: data.isKept,
    label: data.label,
    classes: data.classes,
    report: { ...report, data: data.name },
  };
}
