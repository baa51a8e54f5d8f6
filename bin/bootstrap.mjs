/**
 * Starts a program of this repository with a Node that can run it and with its dependencies in place.
 *
 *   node bin/bootstrap.mjs demo/demo.ts [arguments]     a file, named relative to the repository
 *   node bin/bootstrap.mjs --bin eslint [arguments]     a program of a dependency
 *
 * Runs on any Node from 18 on, with nothing installed. Where the running Node is too old to execute TypeScript, a
 * pinned one is installed from npm into `.toolchain/`; where `node_modules` differs from `package-lock.json`, `npm ci`
 * is run. The programs of the roles are content with an install without development packages; whatever else is started
 * needs the full one. In an installed package nothing is installed: what is missing there ends in a message.
 *
 * Exit codes of its own (sysexits): 64 usage, 69 registry unreachable, 70 install failed, 73 cannot write, 78 platform
 * without a pinned Node. Otherwise the exit code or the signal of the program is passed on.
 */
import { existsSync, realpathSync } from "node:fs";
import module from "node:module";
import { join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { BootstrapError, EXIT, reporting } from "./install/failure.mjs";
import { whenOrphaned } from "./install/orphan.mjs";
import { isClone, missingPackages, readJson, ROOT, runsTypeScript } from "./install/installed.mjs";

/** What the programs `fl-client`, `fl-aggregator` and `fl` run: they need no compiler. */
const ROLE_PROGRAMS = ["client/cli.ts", "aggregator/cli.ts", "auditor/cli.ts"];

/** The install that a file of the repository needs: an operator compiles contracts and circuits. */
const installFor = (file) => (ROLE_PROGRAMS.includes(file) ? "roles" : "full");

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
  if (!isClone())
    throw new BootstrapError(
      EXIT.usage,
      `${target} runs in a clone of the repository only; this installed package has the programs of the roles.`,
    );
  const file = isProgram ? programOf(target) : resolve(ROOT, target);
  if (!isProgram && !existsSync(file))
    throw new BootstrapError(EXIT.usage, `There is no file ${target} in this repository.`);
  const [{ prepare }, { environment, run }] = await Promise.all([
    import("./install/install.mjs"),
    import("./install/npm.mjs"),
  ]);
  const node = await prepare(isProgram ? "full" : installFor(target));
  const { code, signal } = await run(node, ["--disable-warning=ExperimentalWarning", file, ...rest], {
    env: environment(node),
    capture: false,
  });
  if (signal !== null) process.kill(process.pid, signal);
  process.exitCode = code;
}

/** The compiled program of an installed package. @throws BootstrapError if it is not there or Node is too old */
function compiledProgram(entry) {
  if (!runsTypeScript(process.versions.node))
    throw new BootstrapError(
      EXIT.config,
      `Node ${process.versions.node} is too old: an installed package needs Node 22.18 or later. A clone of the repository gets one by itself.`,
    );
  const file = join(ROOT, "dist", entry.replace(/\.ts$/, ".js"));
  if (!existsSync(file))
    throw new BootstrapError(EXIT.software, `This package is incomplete: it has no ${relative(ROOT, file)}.`);
  return file;
}

/** The program's file, where it can run in this process. */
function programInPlace(entry) {
  if (!isClone()) return compiledProgram(entry);
  const isReady = runsTypeScript(process.versions.node) && missingPackages(ROOT, installFor(entry)).length === 0;
  return isReady ? join(ROOT, entry) : undefined;
}

/**
 * Runs the program of a role with this process's arguments: in this process where it can, else in a child (used by
 * `bin/`).
 * @param {string} entry one of ROLE_PROGRAMS, or the operator's program
 */
export async function start(entry) {
  let file;
  await reporting(async () => {
    file = programInPlace(entry);
    if (file === undefined) await runTarget([entry, ...process.argv.slice(2)]);
  });
  if (file === undefined) return;
  // In the clone, never in a temporary folder that others can write to: what is cached is executed.
  if (isClone()) module.enableCompileCache(join(ROOT, ".toolchain", "compile-cache"));
  // A program that does not end by itself ends at the signal that npm did not pass on.
  whenOrphaned(() => process.kill(process.pid, "SIGTERM"));
  // Outside of `reporting`: a program says itself how it fails.
  await import(pathToFileURL(file).href);
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  await reporting(() => runTarget(process.argv.slice(2)));
