/** Compiles circuits with circom (the WebAssembly build), once per content of their sources and compiler. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { VerisumError } from "../../protocol/errors.ts";
import { publishFolder } from "../../storage/durable-file.ts";
import { withLock } from "../../storage/lock.ts";
import { makeFolder, PUBLIC_FOLDER } from "../../storage/folder.ts";

/** The project's root; circuit paths and includes are relative to it. */
export const PROJECT_ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * One level of simplification: equal signals are merged, no linear constraint is solved away, so committed wires stay.
 */
const COMPILER_OPTIONS = ["--r1cs", "--wasm", "--sym", "--O1"] as const;

/** The version that the circuits' constraints are counted with (a test ties it to the lock file). */
export const COMPILER_VERSION = "0.2.23";

/** The compiler's output for one instance. */
export interface CompiledCircuit {
  readonly name: string;
  /** sha-256 of every source the instance includes, of the compiler's version and its options, hexadecimal. */
  readonly hash: string;
  readonly r1csPath: string;
  readonly wasmPath: string;
  readonly symbolsPath: string;
}

/**
 * Compiles the instance, or finds an earlier compilation of the same content.
 * @param mainPath path of the file with the main component, relative to the project's root
 * @param outputRoot folder that gets one subfolder per content
 * @throws CIRCUIT_COMPILATION with the compiler's message
 */
export async function compileCircuit(mainPath: string, outputRoot: string): Promise<CompiledCircuit> {
  const name = path.basename(mainPath, ".circom");
  const hash = await circuitHash(mainPath);
  const folder = path.join(outputRoot, `${name}-${hash.slice(0, 16)}`);
  if (!(await exists(folder))) {
    await makeFolder(outputRoot, PUBLIC_FOLDER);
    await withLock(`${folder}.lock`, async () => {
      if (!(await exists(folder))) await compileInto(folder, mainPath);
    });
  }
  return {
    name,
    hash,
    r1csPath: path.join(folder, `${name}.r1cs`),
    wasmPath: path.join(folder, `${name}_js`, `${name}.wasm`),
    symbolsPath: path.join(folder, `${name}.sym`),
  };
}

/** sha-256 that changes with any included source, the compiler's version or its options. @throws CIRCUIT_COMPILATION */
export async function circuitHash(mainPath: string): Promise<string> {
  const hash = createHash("sha256");
  hash.update(["circom2", compilerVersion(), ...COMPILER_OPTIONS].join(" "));
  const sources = await includedSources(path.join(PROJECT_ROOT, mainPath));
  for (const file of [...sources.keys()].sort()) {
    const text = sources.get(file)!;
    hash.update(`\n${path.relative(PROJECT_ROOT, file).split(path.sep).join("/")} ${text.length}\n${text}`);
  }
  return hash.digest("hex");
}

/** Roles run without a compiler, so it may not be there. @throws CIRCUIT_COMPILATION */
function compilerVersion(): string {
  try {
    return (createRequire(import.meta.url)("circom2/package.json") as { readonly version: string }).version;
  } catch (cause) {
    throw new VerisumError(
      "CIRCUIT_COMPILATION",
      `the circuit compiler is not installed; run: npm install circom2@${COMPILER_VERSION}`,
      {},
      { cause },
    );
  }
}

async function includedSources(file: string, found = new Map<string, string>()): Promise<Map<string, string>> {
  if (found.has(file)) return found;
  const text = await readFile(file, "utf8");
  found.set(file, text);
  for (const [, included] of text.matchAll(/^\s*include\s+"([^"]+)"/gm))
    await includedSources(path.resolve(path.dirname(file), included!), found);
  return found;
}

/** Compiles into a folder of its own, which gets its name when it is complete. The lock's holder alone does. */
async function compileInto(folder: string, mainPath: string): Promise<void> {
  const temporary = `${folder}.tmp`;
  await rm(temporary, { recursive: true, force: true });
  await makeFolder(temporary, PUBLIC_FOLDER);
  const compiler = createRequire(import.meta.url).resolve("circom2/cli.js");
  const output = path.relative(PROJECT_ROOT, temporary);
  try {
    await promisify(execFile)(process.execPath, [compiler, mainPath, ...COMPILER_OPTIONS, "-o", output], {
      cwd: PROJECT_ROOT,
      maxBuffer: 2 ** 24,
    });
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true });
    const { stdout = "", stderr = "" } = cause as { stdout?: string; stderr?: string };
    throw new VerisumError(
      "CIRCUIT_COMPILATION",
      `${mainPath} does not compile: ${stdout}${stderr}`.trim(),
      { circuit: mainPath },
      { cause },
    );
  }
  await publishFolder(temporary, folder);
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
