/** What is there already: a Node that runs TypeScript, and the locked packages. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/**
 * Two installs: `roles` has what a client, a member, an aggregator and an auditor run with; `full` has compilers,
 * Hardhat and the tools of the tests as well.
 * @typedef {"roles" | "full"} Install
 */

export const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));

/** Whether this is a clone, whose lock file says what to install; an installed package has none. */
export const isClone = (root = ROOT) => existsSync(join(root, "package-lock.json"));

/** Whether a Node version executes TypeScript without a flag: 22.18, 23.6, 24 and later. */
export function runsTypeScript(version) {
  const [major, minor] = version.split(".").map(Number);
  return major >= 24 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);
}

let libcHere;

/** Node's own report says which C library runs it; making one costs milliseconds of every start, so once at most. */
const libc = () =>
  (libcHere ??= process.report.getReport().header.glibcVersionRuntime === undefined ? "musl" : "glibc");

function packageFits(entry) {
  const admits = (list, value) =>
    list === undefined ||
    ((list.includes(value) || list.every((item) => item.startsWith("!"))) && !list.includes(`!${value}`));
  if (!admits(entry.os, process.platform) || !admits(entry.cpu, process.arch)) return false;
  return entry.libc === undefined || admits(entry.libc, libc());
}

/** An optional package that names no platform comes with one that does: npm leaves both out elsewhere. */
const mayBeLeftOut = ({ optional, os, cpu }) => optional === true && os === undefined && cpu === undefined;

/** The packages that npm says it installed, by their path in the lock file. */
function installedPackages(root) {
  const installedLock = join(root, "node_modules", ".package-lock.json");
  return existsSync(installedLock) ? readJson(installedLock).packages : {};
}

/**
 * Locked packages of this platform that an install needs and that are absent from `node_modules` or have another
 * version there (paths in the lock file).
 * @param {string} root
 * @param {Install} install
 */
export function missingPackages(root = ROOT, install = "full") {
  const installed = installedPackages(root);
  const isThere = ([path, entry]) =>
    installed[path]?.version === entry.version && existsSync(join(root, path, "package.json"));
  const isWanted = ([path, entry]) =>
    path !== "" && (install === "full" || entry.dev !== true) && !mayBeLeftOut(entry) && packageFits(entry);
  return Object.entries(readJson(join(root, "package-lock.json")).packages)
    .filter((locked) => !isThere(locked) && isWanted(locked))
    .map(([path]) => path);
}

/**
 * The install to make where packages are missing: no smaller one than is there.
 * @param {Install} needed
 * @returns {Install}
 */
export function installToMake(needed, root = ROOT) {
  return Object.values(installedPackages(root)).some(({ dev }) => dev === true) ? "full" : needed;
}
