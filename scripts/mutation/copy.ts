/** A copy of the repository in which mutants are compiled and tested; the working tree stays as it is. */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { OPEN_ADDRESS } from "./chain.ts";
import type { Sources } from "./schemata.ts";

const CONFIG = `import base from "./hardhat.base.config.ts";
import { configOfCopy } from "./scripts/mutation/chain.ts";

export default configOfCopy(base, process.env);
`;
/** The place of a library's address in a compiled contract, as the compiler leaves it. */
const OPEN_PLACE = /__\$[0-9a-f]{34}\$__/g;

/** Copies the files that git knows, with the dependencies by reference. */
export function makeCopy(root: string, folder: string): void {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], { cwd: root });
  for (const file of listed
    .toString("utf8")
    .split("\0")
    .filter((name) => name !== "" && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(root, file), join(folder, file));
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  cpSync(join(folder, "hardhat.config.ts"), join(folder, "hardhat.base.config.ts"));
  writeFileSync(join(folder, "hardhat.config.ts"), CONFIG);
}

/**
 * Compiles these sources in the copy, unless that was done before.
 * @param cache Where artifacts are kept, by the digest of the sources.
 * @returns the folder of the artifacts
 * @throws Error with the compiler's output
 */
export async function compileIn(folder: string, sources: Sources, cache: string): Promise<string> {
  const digest = createHash("sha256").update(JSON.stringify(sources)).digest("hex").slice(0, 16);
  const kept = join(cache, digest);
  if (existsSync(kept)) return kept;
  for (const [file, text] of Object.entries(sources)) writeFileSync(join(folder, file), text, "latin1");
  const fresh = `${kept}.new`;
  rmSync(fresh, { recursive: true, force: true });
  await build(folder, fresh);
  linkAll(fresh);
  renameSync(fresh, kept);
  return kept;
}

async function build(folder: string, artifacts: string): Promise<void> {
  const child = spawn(join("node_modules", ".bin", "hardhat"), ["build"], {
    cwd: folder,
    env: { ...process.env, MUTANT_ARTIFACTS: artifacts },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  const code = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode) => resolve(exitCode ?? 1));
  });
  if (code !== 0) throw new Error(`the mutants do not compile:\n${output}`);
}

/**
 * Fills the switch's place with an address that each trial replaces. What explains stack traces goes, as loading it is
 * slow.
 */
function linkAll(artifacts: string): void {
  rmSync(join(artifacts, "build-info"), { recursive: true, force: true });
  for (const path of globSync("contracts/**/*.json", { cwd: artifacts })) {
    const artifact = JSON.parse(readFileSync(join(artifacts, path), "utf8")) as object;
    const linked = JSON.stringify({ ...artifact, linkReferences: {}, deployedLinkReferences: {} });
    writeFileSync(join(artifacts, path), linked.replaceAll(OPEN_PLACE, OPEN_ADDRESS));
  }
}
