/** Compiles the contract's interface, alone, for the ABI that `adapters/chain` loads. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const CONTRACTS = fileURLToPath(new URL("../contracts/", import.meta.url));
const INTERFACE = "interfaces/IVerisum.sol";

interface CompilerOutput {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts: Readonly<Record<string, Readonly<Record<string, { readonly abi: unknown }>>>>;
}

/** `adapters/chain/verisum-abi.json`, by path from the project's root. */
export function generateAbiFiles(): Record<string, string> {
  const solc = createRequire(import.meta.url)("solc") as { compile(input: string): string };
  const sources = Object.fromEntries([INTERFACE, ...importsOf(INTERFACE)].map((path) => [path, { content: source(path) }]));
  const settings = { outputSelection: { [INTERFACE]: { "*": ["abi"] } } };
  const output = JSON.parse(solc.compile(JSON.stringify({ language: "Solidity", sources, settings }))) as CompilerOutput;
  const failure = output.errors?.find(({ severity }) => severity === "error");
  if (failure !== undefined) throw new Error(failure.formattedMessage);
  return { "adapters/chain/verisum-abi.json": `${JSON.stringify(output.contracts[INTERFACE]!["IVerisum"]!.abi, undefined, 1)}\n` };
}

/** The files that a source imports, which import nothing themselves. */
function importsOf(path: string): string[] {
  return [...source(path).matchAll(/from "(\..+)";/g)].map(([, target]) => join(dirname(path), target!));
}

function source(path: string): string {
  return readFileSync(join(CONTRACTS, path), "utf8");
}
