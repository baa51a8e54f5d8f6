/** Where all programs of one user on one machine keep what they found out together. */
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import type { SharedRecords } from "../storage/own-record.ts";
import { VERSION } from "./version.ts";

/** In the user's cache, by the XDG base directory specification: what lies there can be found out again. */
export function userRecords(environment: NodeJS.ProcessEnv = process.env): SharedRecords {
  const { XDG_CACHE_HOME: cache = "" } = environment;
  const directory = isAbsolute(cache) ? cache : join(homedir(), ".cache");
  return { directory: join(directory, "verisum", "checked-keys"), release: VERSION };
}
