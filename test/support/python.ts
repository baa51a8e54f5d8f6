/** Python with what `integrations/python` needs, and pytest: the environment's PYTHON, or `python3` in PATH. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The package's folder. */
export const PACKAGE = fileURLToPath(new URL("../../integrations/python/", import.meta.url));

const NEEDED = "import numpy, pytest, safetensors, sys; sys.exit(sys.version_info < (3, 11))";
const found = process.env["PYTHON"] ?? "python3";

/** Undefined where a test that needs it is skipped. */
export const PYTHON = spawnSync(found, ["-c", NEEDED]).status === 0 ? found : undefined;

/** What Python's modules find the package by; nothing is installed, and nothing is written beside the sources. */
const ENVIRONMENT = { PYTHONPATH: `${PACKAGE}src`, PYTHONDONTWRITEBYTECODE: "1" } as const;

/** Runs Python to its end. */
export function python(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  cwd?: string,
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const env = { ...process.env, ...ENVIRONMENT, ...environment };
  return spawnSync(PYTHON ?? found, args, { encoding: "utf8", env, cwd });
}
