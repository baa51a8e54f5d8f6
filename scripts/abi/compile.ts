/** What the Solidity compiler says of the contracts' interfaces: their ABIs, documentation, enums and EIP-712 types. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** An input, an output or a struct's field. */
export interface AbiParameter {
  readonly name: string;
  /** Of the ABI: "uint64", "tuple[]". */
  readonly type: string;
  /** Of the source: "struct ChunkProof[]", "enum Phase". */
  readonly internalType: string;
  readonly components?: readonly AbiParameter[];
  readonly indexed?: boolean;
}

/** A function, an event or an error. */
export interface AbiEntry {
  readonly type: string;
  readonly name: string;
  readonly inputs: readonly AbiParameter[];
  readonly outputs?: readonly AbiParameter[];
  readonly stateMutability?: string;
}

/** NatSpec: what a definition is, and what its fields are. */
export interface Documentation {
  readonly text: string;
  readonly fields: ReadonlyMap<string, string>;
}

/** Everything that TypeScript shares with one source file and with those that it imports. */
export interface Compiled {
  /** Of the contract whose name the file has. */
  readonly abi: readonly AbiEntry[];
  /** By kind of definition and name: "StructDefinition TaskParameters". */
  readonly documentation: ReadonlyMap<string, Documentation>;
  /** Members of each enum, in order. */
  readonly enums: ReadonlyMap<string, readonly string[]>;
  /** Literals under keccak256 in constants, by the constant's name. */
  readonly hashedLiterals: ReadonlyMap<string, string>;
}

interface Node {
  readonly nodeType?: string;
  readonly name?: string;
  readonly documentation?: { readonly text: string } | null;
  readonly members?: readonly { readonly name: string }[];
  readonly value?: {
    readonly expression?: { readonly name?: string };
    readonly arguments?: readonly { readonly value?: string }[];
  } | null;
}

interface CompilerOutput {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly sources: Readonly<Record<string, { readonly ast: Node }>>;
  readonly contracts: Readonly<Record<string, Readonly<Record<string, { readonly abi: readonly AbiEntry[] }>>>>;
}

const solc = createRequire(import.meta.url)("solc") as { compile(input: string): string };

/**
 * Compiles one file, with those that it imports.
 * @param root folder of the contracts
 * @param path from there; its contract has the file's name
 * @throws Error with the compiler's message
 */
export function compileInterface(root: string, path: string): Compiled {
  const read = (file: string): string => readFileSync(join(root, file), "utf8");
  const sources = Object.fromEntries([path, ...importsOf(path, read)].map((file) => [file, { content: read(file) }]));
  const settings = { outputSelection: { "*": { "": ["ast"], "*": ["abi"] } } };
  const output = JSON.parse(
    solc.compile(JSON.stringify({ language: "Solidity", sources, settings })),
  ) as CompilerOutput;
  const failure = output.errors?.find(({ severity }) => severity === "error");
  if (failure !== undefined) throw new Error(failure.formattedMessage);
  const nodes = Object.values(output.sources).flatMap(({ ast }) => nodesOf(ast));
  return {
    abi: output.contracts[path]![/(\w+)\.sol$/.exec(path)![1]!]!.abi,
    documentation: new Map(
      nodes.flatMap(({ nodeType, name, documentation }) =>
        documentation === undefined || documentation === null
          ? []
          : [[`${nodeType} ${name}`, parseNatSpec(documentation.text)]],
      ),
    ),
    enums: new Map(
      nodes.flatMap(({ nodeType, name, members }) =>
        nodeType === "EnumDefinition" ? [[name!, members!.map((member) => member.name)]] : [],
      ),
    ),
    hashedLiterals: new Map(nodes.flatMap(hashedLiteral)),
  };
}

/** Files that a source imports, and those that they import. */
function importsOf(path: string, read: (file: string) => string): string[] {
  const direct = [...read(path).matchAll(/from "(\..+)";/g)].map(([, target]) => join(dirname(path), target!));
  return [...new Set(direct.flatMap((file) => [file, ...importsOf(file, read)]))];
}

/** Every node of a syntax tree that has a type. */
function nodesOf(value: unknown): Node[] {
  if (value === null || typeof value !== "object") return [];
  const children = Object.values(value).flatMap(nodesOf);
  return "nodeType" in value ? [value as Node, ...children] : children;
}

function hashedLiteral({ nodeType, name, value }: Node): [string, string][] {
  const literal = value?.arguments?.[0]?.value;
  const isHash = nodeType === "VariableDeclaration" && value?.expression?.name === "keccak256";
  return isHash && literal !== undefined ? [[name!, literal]] : [];
}

/** Notice and developer's notes in one text; `@param` and `@return` by name. */
function parseNatSpec(source: string): Documentation {
  const text: string[] = [];
  const fields = new Map<string, string>();
  for (const part of source.split(/(?:^|\n)\s*@/)) {
    const [, tag, rest] = /^(notice|dev|title|param|return)\s+([^]*)$/.exec(part) ?? [undefined, "notice", part];
    const words = rest.split(/\s+/).filter((word) => word !== "");
    if (tag === "param" || tag === "return") fields.set(words[0] ?? "", words.slice(1).join(" "));
    else if (words.length > 0) text.push(words.join(" "));
  }
  return { text: text.join(" "), fields };
}
