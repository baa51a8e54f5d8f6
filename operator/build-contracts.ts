/**
 * Compiles the contracts, or sees that they are compiled as they stand; what `chain/deploy.ts` deploys comes from here.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { VerisumError } from "../protocol/errors.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
/** Hardhat's program, to be run under this Node in the repository's folder; not there in an installed package. */
export const HARDHAT_CLI = join(ROOT, "node_modules", "hardhat", "dist", "src", "cli.js");

/**
 * Writes `artifacts/`. The compiler's messages go to stderr.
 * @param onStart is given the compiler's process, to stop it with the caller
 * @throws CONTRACTS_NOT_BUILT if one does not compile
 */
export async function buildContracts(onStart: (child: ChildProcess) => void = () => undefined): Promise<void> {
  // An installed package comes with them, and without their sources.
  if (!existsSync(join(ROOT, "hardhat.config.ts"))) return;
  const child = spawn(process.execPath, [HARDHAT_CLI, "build", "--quiet"], { cwd: ROOT, stdio: ["ignore", 2, 2] });
  onStart(child);
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new VerisumError("CONTRACTS_NOT_BUILT", "the contracts do not compile");
}
