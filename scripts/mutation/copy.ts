/** A copy of the repository in which mutants are compiled and tested; the working tree stays as it is. */
import { execFileSync, spawn } from "node:child_process";
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SWITCH_FILE, SWITCH_LIBRARY } from "./schemata.ts";
import type { Sources } from "./schemata.ts";

/** The configuration of the copy: contracts may be longer than EIP-170 has it, and each trial has its artifacts. */
const CONFIG = `import base from "./hardhat.base.config.ts";

export default {
  ...base,
  paths: { artifacts: process.env["MUTANT_ARTIFACTS"] ?? "./artifacts" },
  networks: { node: { ...base.networks!["node"], allowUnlimitedContractSize: true } },
};
`;
/** What no test of behaviour measures: with more code in it, every call costs more. */
const LEFT_OUT = /\/gas(-limits)?\.test\.ts$/;

type References = Readonly<Record<string, Readonly<Record<string, readonly { readonly start: number }[]>>>>;
interface Artifact {
  readonly bytecode: string;
  readonly linkReferences?: References;
}

/** How one mutant fared: `failure` names the test that noticed. */
export interface Trial {
  readonly outcome: "killed" | "survived" | "timeout";
  readonly failure: string;
  readonly seconds: number;
}

/** Copies the files that git knows, with the dependencies by reference. */
export function makeCopy(root: string, folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], { cwd: root });
  for (const file of listed.toString("utf8").split("\0").filter(Boolean)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(root, file), join(folder, file));
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  cpSync(join(folder, "hardhat.config.ts"), join(folder, "hardhat.base.config.ts"));
  writeFileSync(join(folder, "hardhat.config.ts"), CONFIG);
}

/** Compiles these sources in the copy. @throws Error with the compiler's output */
export async function compileCopy(folder: string, sources: Sources): Promise<void> {
  for (const [file, text] of Object.entries(sources)) writeFileSync(join(folder, file), text, "latin1");
  const { code, output } = await runIn(folder, ["hardhat", "build"], {}, 3600);
  if (code !== 0) throw new Error(`the mutants do not compile:\n${output}`);
}

/**
 * Runs the contract tests with this mutant switched on; 0 is none.
 * @param limitSeconds after which it counts as hanging
 */
export async function tryMutant(folder: string, mutant: number, limitSeconds: number): Promise<Trial> {
  const artifacts = join(folder, "trials", String(mutant));
  switchOn(folder, artifacts, mutant);
  const tests = globSync("test/contracts/*.test.ts", { cwd: folder })
    .filter((file) => !LEFT_OUT.test(`/${file}`))
    .sort();
  const startedAt = performance.now();
  const args = ["mocha", "--bail", "--reporter", "json", ...tests];
  const { code, output } = await runIn(folder, args, { MUTANT_ARTIFACTS: artifacts }, limitSeconds);
  rmSync(artifacts, { recursive: true, force: true });
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  if (code === undefined) return { outcome: "timeout", failure: `no end in ${limitSeconds} s`, seconds };
  // A run that ends before its summary has not passed, whatever its exit code.
  return code === 0 && /"failures": 0,/.test(output)
    ? { outcome: "survived", failure: "", seconds }
    : { outcome: "killed", failure: firstFailure(output), seconds };
}

/** Artifacts in which the switch's address is the mutant's number. */
function switchOn(folder: string, artifacts: string, mutant: number): void {
  cpSync(join(folder, "artifacts"), artifacts, { recursive: true });
  // Zero would be an address that no mutant has; the library's place is filled either way.
  const address = mutant.toString(16).padStart(40, "0");
  for (const path of globSync("contracts/**/*.json", { cwd: artifacts })) {
    const artifact = JSON.parse(readFileSync(join(artifacts, path), "utf8")) as Artifact;
    const places = Object.entries(artifact.linkReferences ?? {})
      .filter(([file]) => file.endsWith(SWITCH_FILE))
      .flatMap(([, libraries]) => libraries[SWITCH_LIBRARY] ?? []);
    if (places.length === 0) continue;
    const bytecode = places.reduce(
      (code, { start }) => `${code.slice(0, 2 + 2 * start)}${address}${code.slice(42 + 2 * start)}`,
      artifact.bytecode,
    );
    writeFileSync(
      join(artifacts, path),
      JSON.stringify({ ...artifact, bytecode, linkReferences: {}, deployedLinkReferences: {} }),
    );
  }
}

function firstFailure(output: string): string {
  const match = /"failures": \[\s*\{[^]*?"fullTitle": ("(?:[^"\\]|\\.)*")/.exec(output);
  return match === null ? output.slice(-200) : (JSON.parse(match[1]!) as string);
}

/** Runs a dependency's program in the copy; the code is undefined where the limit ended it. */
async function runIn(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  limitSeconds: number,
): Promise<{ readonly code: number | undefined; readonly output: string }> {
  const [program, ...rest] = args;
  const child = spawn(join("node_modules", ".bin", program!), rest, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, limitSeconds * 1000);
  const code = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode) => resolve(exitCode ?? 1));
  });
  clearTimeout(timer);
  return { code: isLate ? undefined : code, output };
}
