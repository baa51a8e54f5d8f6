/** Foundry's programs, as npm has them for this platform; it leaves them out where there are none. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MODULES = fileURLToPath(new URL("../../node_modules/", import.meta.url));
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** Where the program is, if it is there. */
export function foundryProgram(name: "anvil" | "forge"): string {
  const platform = `${process.platform}-${ARCHITECTURES[process.arch] ?? process.arch}`;
  const file = process.platform === "win32" ? `${name}.exe` : name;
  return join(MODULES, `@foundry-rs/${name}-${platform}`, "bin", file);
}

export function hasFoundryProgram(name: "anvil" | "forge"): boolean {
  return existsSync(foundryProgram(name));
}
