/** Compiles the contracts, or sees that they are compiled as they stand; what `adapters/chain/deploy.ts` deploys comes from here. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const BOOTSTRAP = fileURLToPath(new URL("../bootstrap.mjs", import.meta.url));

/** Writes `artifacts/`. The compiler's messages go to stderr. @throws an error if a contract does not compile */
export async function buildContracts(): Promise<void> {
  const child = spawn(process.execPath, [BOOTSTRAP, "--bin", "hardhat", "build", "--quiet"], { stdio: ["ignore", 2, 2] });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error("the contracts do not compile");
}
