/** An empty project with the package installed in it, as somebody else would have it. For tests only. */
import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { COMPILER_VERSION } from "../../proving/groth16/circom.ts";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const { findNpm } = (await import(new URL("../../bin/install/npm.mjs", import.meta.url).href)) as {
  findNpm(): string;
};

/** What npm says when there is no registry. */
const UNREACHABLE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED/;
const QUIET = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--prefer-offline"];

/** The registry cannot be reached: nothing can be said about installs. */
export class NoRegistry extends Error {}

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs npm under this Node. @throws NoRegistry, or an error with npm's output */
export async function npm(cwd: string, ...args: readonly string[]): Promise<Output> {
  try {
    return await promisify(execFile)(process.execPath, [findNpm(), ...args], { cwd, maxBuffer: 2 ** 24 });
  } catch (error) {
    const { stderr = "" } = error as { readonly stderr?: string };
    throw UNREACHABLE.test(stderr) ? new NoRegistry(stderr) : error;
  }
}

/** What a clone has for roles: their rooms, and what these find by their own place. */
const FOR_ROLES = ["bin", "data", "circuits", "package.json", "package-lock.json"];

/** Copies what roles run, as sources, and runs `npm ci` for roles there. @throws NoRegistry */
export async function cloneForRoles(folder: string): Promise<void> {
  const { include } = JSON.parse(await readFile(join(ROOT, "tsconfig.build.json"), "utf8")) as {
    readonly include: readonly string[];
  };
  for (const name of [...FOR_ROLES, ...include]) await cp(join(ROOT, name), join(folder, name), { recursive: true });
  await npm(folder, "ci", "--omit=dev", ...QUIET);
}

/** A process of the project; its lines are kept. */
export interface Running {
  readonly child: ChildProcess;
  readonly lines: string[];
  /** Resolves to the exit status. */
  readonly ended: Promise<number | null>;
}

export interface Project {
  readonly folder: string;
  /** Runs a file of the project to its end. @throws with its output if it fails */
  run(args: readonly string[], key?: string): Promise<Output>;
  /** Starts a file of the project. */
  start(args: readonly string[], key?: string): Running;
  /** Stops what runs, and deletes the project. */
  remove(): Promise<void>;
}

/** Packs this repository, installs it and the circuit compiler into an empty project, and copies the examples there. */
export async function installPackage(): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), "verisum-package-"));
  try {
    await npm(ROOT, "pack", "--pack-destination", folder);
    const [tarball] = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
    await writeFile(join(folder, "package.json"), JSON.stringify({ name: "elsewhere", private: true, type: "module" }));
    await npm(folder, "install", ...QUIET, `./${tarball!}`, `circom2@${COMPILER_VERSION}`);
    await cp(join(folder, "node_modules/verisum/examples"), folder, { recursive: true });
  } catch (error) {
    await rm(folder, { recursive: true });
    throw error;
  }
  return projectAt(folder);
}

function projectAt(folder: string): Project {
  const running: Running[] = [];
  const start: Project["start"] = (args, key) => {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
      cwd: folder,
      env: { ...process.env, NO_COLOR: "1", ...(key === undefined ? {} : { VERISUM_KEY: key }) },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const lines: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => lines.push(...text.trimEnd().split("\n")));
    const process_ = { child, lines, ended: once(child, "exit").then(([code]) => code as number | null) };
    running.push(process_);
    return process_;
  };
  return {
    folder,
    start,
    run: (args, key) =>
      promisify(execFile)(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
        cwd: folder,
        env: { ...process.env, NO_COLOR: "1", ...(key === undefined ? {} : { VERISUM_KEY: key }) },
        maxBuffer: 2 ** 24,
      }),
    remove: async () => {
      for (const { child } of running) child.kill("SIGKILL");
      await Promise.all(running.map(({ ended }) => ended));
      await rm(folder, { recursive: true });
    },
  };
}
