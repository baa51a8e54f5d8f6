/**
 * Loaded before a role (`--import`): numbers whatever the role does to files in its state directory, and ends the
 * process with SIGKILL at the places that it is told. The kernel ends it at once: nothing after such a place runs.
 *
 * A place is named by what is done and to which file, numbers and hashes in the name left out. Half of a file is
 * written before a place that is called *write*.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import fs from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { relative, sep } from "node:path";
import { isMainThread } from "node:worker_threads";

/** The role's state directory. */
const STATE = process.env["VERISUM_CRASH_STATE"];
/** Files of names, one a line: `.wanted` places, `.crashed` at, and all that were `.seen`. */
const FILES = process.env["VERISUM_CRASH_FILES"];

const VARYING = /baf[a-z2-7]{20,}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22,}|(0x)?[0-9a-f]{16,}|[0-9]+/g;

if (isMainThread && STATE !== undefined && FILES !== undefined) await arm(STATE, FILES);

async function arm(state: string, files: string): Promise<void> {
  const crashed = new Set(linesOf(`${files}.crashed`));
  const wanted = new Set(linesOf(`${files}.wanted`).filter((place) => !crashed.has(place)));
  const seen = new Set(linesOf(`${files}.seen`));
  /** Undefined outside the state directory. */
  const placeOf = (act: string, path: unknown): string | undefined => {
    const inside = typeof path === "string" ? relative(state, path) : "..";
    if (inside.startsWith("..")) return undefined;
    const [folder, ...rest] = inside.split(sep);
    // Blocks lie in folders by their hash.
    const named = rest.includes("blocks") ? [folder, "blocks", "*"] : [folder, ...rest];
    return `${act} ${named.join("/").replace(VARYING, "*")}`;
  };
  const pass = async (place: string | undefined, half?: () => Promise<unknown>): Promise<void> => {
    if (place === undefined) return;
    if (!seen.has(place)) {
      seen.add(place);
      appendFileSync(`${files}.seen`, `${place}\n`);
    }
    if (!wanted.has(place)) return;
    await half?.();
    appendFileSync(`${files}.crashed`, `${place}\n`);
    process.kill(process.pid, "SIGKILL");
  };
  const { open, rename, link, rm, unlink } = fs;
  const paths = new WeakMap<FileHandle, string>();
  Object.assign(fs, {
    open: async (path: string, ...rest: unknown[]) => {
      const [flags] = rest;
      if (flags !== undefined && flags !== 0 && flags !== "r") await pass(placeOf("open", path));
      const handle = await (open as (...args: unknown[]) => Promise<FileHandle>)(path, ...rest);
      paths.set(handle, path);
      return handle;
    },
    rename: async (from: string, to: string) => {
      await pass(placeOf("rename", to));
      return rename(from, to);
    },
    link: async (from: string, to: string) => {
      await pass(placeOf("link", to));
      return link(from, to);
    },
    rm: async (path: string, ...rest: unknown[]) => {
      await pass(placeOf("remove", path));
      return (rm as (...args: unknown[]) => Promise<void>)(path, ...rest);
    },
    unlink: async (path: string) => {
      await pass(placeOf("remove", path));
      return unlink(path);
    },
  });
  const sample = await open(new URL(import.meta.url), "r");
  const handles = Object.getPrototypeOf(sample) as FileHandle;
  await sample.close();
  const { sync, writeFile } = handles;
  Object.assign(handles, {
    sync: async function (this: FileHandle) {
      await pass(placeOf("sync", paths.get(this)));
      return sync.call(this);
    },
    writeFile: async function (this: FileHandle, bytes: Uint8Array | string, ...rest: []) {
      const half = bytes.slice(0, Math.floor(bytes.length / 2));
      await pass(placeOf("write", paths.get(this)), () => writeFile.call(this, half));
      return writeFile.call(this, bytes, ...rest);
    },
  });
  syncBuiltinESMExports();
}

function linesOf(path: string): string[] {
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];
}
