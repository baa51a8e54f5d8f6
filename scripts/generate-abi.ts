/** Compiles the contracts' interfaces, alone, for the ABIs that `chain` loads. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const CONTRACTS = fileURLToPath(new URL("../contracts/", import.meta.url));
/** Generated file by interface. */
const INTERFACES = { IVerisum: "chain/verisum-abi.json", ICellGroup: "chain/cell-group-abi.json" } as const;

interface CompilerOutput {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts: Readonly<Record<string, Readonly<Record<string, { readonly abi: unknown }>>>>;
}

/** The ABIs, by path from the project's root. */
export function generateAbiFiles(): Record<string, string> {
  const solc = createRequire(import.meta.url)("solc") as { compile(input: string): string };
  return Object.fromEntries(
    Object.entries(INTERFACES).map(([name, target]) => [
      target,
      `${JSON.stringify(abiOf(solc, name), undefined, 1)}\n`,
    ]),
  );
}

function abiOf(solc: { compile(input: string): string }, name: string): unknown {
  const path = `interfaces/${name}.sol`;
  const sources = Object.fromEntries([path, ...importsOf(path)].map((file) => [file, { content: source(file) }]));
  const settings = { outputSelection: { [path]: { "*": ["abi"] } } };
  const output = JSON.parse(
    solc.compile(JSON.stringify({ language: "Solidity", sources, settings })),
  ) as CompilerOutput;
  const failure = output.errors?.find(({ severity }) => severity === "error");
  if (failure !== undefined) throw new Error(failure.formattedMessage);
  return output.contracts[path]![name]!.abi;
}

/** The files that a source imports, which import nothing themselves. */
function importsOf(path: string): string[] {
  return [...source(path).matchAll(/from "(\..+)";/g)].map(([, target]) => join(dirname(path), target!));
}

function source(path: string): string {
  return readFileSync(join(CONTRACTS, path), "utf8");
}
