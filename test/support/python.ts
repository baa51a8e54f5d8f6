/** Python with what the packages in `integrations/` need, and pytest: PYTHON of the environment, or `python3`. */
import { spawn, spawnSync } from "node:child_process";
import { text } from "node:stream/consumers";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The folder of the package for trainers. */
export const PACKAGE = fileURLToPath(new URL("../../integrations/python/", import.meta.url));

/** The independent auditor's. */
export const AUDITOR_PACKAGE = fileURLToPath(new URL("../../integrations/python-auditor/", import.meta.url));

const NEEDED = "import numpy, pytest, safetensors, sys; sys.exit(sys.version_info < (3, 11))";
const found = process.env["PYTHON"] ?? "python3";

/** Whether Python has what the independent auditor needs: else its tests are skipped. */
export function hasAuditorsPackages(): boolean {
  const needed = "import Crypto, eth_keys, py_ecc, pytest, sys; sys.exit(sys.version_info < (3, 11))";
  return spawnSync(found, ["-c", needed]).status === 0;
}

/** Undefined where a test that needs it is skipped. */
export const PYTHON = spawnSync(found, ["-c", NEEDED]).status === 0 ? found : undefined;

/** What Python's modules find the package by; nothing is installed, and nothing is written beside the sources. */
export const PYTHON_ENVIRONMENT = { PYTHONPATH: `${PACKAGE}src`, PYTHONDONTWRITEBYTECODE: "1" } as const;

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
