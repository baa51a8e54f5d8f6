/** Files of a folder that somebody else wrote: a pipe in it would not end, and a device would fill the memory. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { ensure } from "../protocol/errors.ts";

/**
 * An ordinary file's bytes; links to one are followed.
 * @throws CHECKPOINT_INVALID if it is something else or too long, and what opening it throws
 */
export async function readBoundedFile(path: string, mostBytes: number): Promise<Uint8Array> {
  // Opening a pipe waits for its writer otherwise.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    ensure(found.isFile(), "CHECKPOINT_INVALID", `${path} is no ordinary file`);
    ensure(
      found.size <= mostBytes,
      "CHECKPOINT_INVALID",
      `${path} has ${found.size} bytes, and ${mostBytes} are the most that is read`,
    );
    return await file.readFile();
  } finally {
    await file.close();
  }
}
