/** Python with what the packages in `integrations/` need, and pytest: PYTHON of the environment, or `python3`. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { text } from "node:stream/consumers";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import type { Suite } from "mocha";

/** The folder of the package for trainers. */
export const PACKAGE = fileURLToPath(new URL("../../integrations/python/", import.meta.url));

/** The independent auditor's. */
export const AUDITOR_PACKAGE = fileURLToPath(new URL("../../integrations/python-auditor/", import.meta.url));

/** What Python finds it by. */
export const AUDITOR_ENVIRONMENT = { PYTHONPATH: `${AUDITOR_PACKAGE}src` } as const;

const NEEDED = "import numpy, pytest, safetensors, sys; sys.exit(sys.version_info < (3, 11))";
const found = process.env["PYTHON"] ?? "python3";

const HAS_AUDITORS_PACKAGES =
  spawnSync(found, ["-c", "import Crypto, eth_keys, py_ecc, pytest, sys; sys.exit(sys.version_info < (3, 11))"])
    .status === 0;

/** Undefined where a test that needs it is skipped. */
export const PYTHON = spawnSync(found, ["-c", NEEDED]).status === 0 ? found : undefined;

const HAS_MYPY = spawnSync(found, ["-m", "mypy", "--version"]).status === 0;

/** What Python's modules find the package by; nothing is installed, and nothing is written beside the sources. */
export const PYTHON_ENVIRONMENT = { PYTHONPATH: `${PACKAGE}src`, PYTHONDONTWRITEBYTECODE: "1" } as const;

/** A test of a package's types, skipped by name where mypy is not there. @param environment for what it imports */
export function itHasTypes(folder: string, environment: Readonly<Record<string, string>> = {}): void {
  const title = "has types that mypy finds nothing in";
  (HAS_MYPY ? it : it.skip)(HAS_MYPY ? title : `${title} (${found} has no mypy)`, async () => {
    const { status, stdout } = await python(["-m", "mypy"], environment, folder);
    assert.equal(status, 0, stdout);
  });
}

/** Tests of the independent auditor, skipped by name where Python lacks what it needs. */
export function describeAuditor(title: string, body: (this: Suite) => void): void {
  const lacks = `${title} (PYTHON, or python3, lacks one of pycryptodome, eth-keys, py-ecc and pytest)`;
  (HAS_AUDITORS_PACKAGES ? describe : describe.skip)(HAS_AUDITORS_PACKAGES ? title : lacks, body);
}

/** Runs the independent auditor with these arguments. */
export function pythonAuditor(args: readonly string[]): ReturnType<typeof python> {
  return python(["-m", "verisum_auditor", ...args], AUDITOR_ENVIRONMENT);
}

/** Runs Python to its end, while this process goes on serving. */
export async function python(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  cwd?: string,
): Promise<{ readonly status: number | null; readonly stdout: string; readonly stderr: string }> {
  const env = { ...process.env, ...PYTHON_ENVIRONMENT, ...environment };
  const child = spawn(PYTHON ?? found, args, { env, cwd, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { status: child.exitCode, stdout, stderr };
}
