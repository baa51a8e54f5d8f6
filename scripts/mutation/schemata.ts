/**
 * All mutants in one compilation: each stands in the source beside what it replaces, chosen by its number. Which number
 * is switched on is the address of a library, which the compiler leaves open until the contract is linked.
 */
import { createRequire } from "node:module";
import { dirname, relative } from "node:path";
import { mutantsOf } from "./operators.ts";
import type { Mutant, Node } from "./operators.ts";

const solc = createRequire(import.meta.url)("solc") as { compile(input: string): string };

/** Where the switch lives in the copy. */
export const SWITCH_FILE = "contracts/MutantSwitch.sol";
const SWITCH_LIBRARY = "MutantSwitch";
const HEAD = `// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;
`;
/** The switch of a trial. */
export const ONE_IS_ON: Sources = {
  [SWITCH_FILE]: `${HEAD}
/// @notice Its address is the number of the mutant that is switched on.
library ${SWITCH_LIBRARY} {
    /// @notice Makes the library one that is linked.
    function nothing() external {}
}

/// @notice Whether this mutant is switched on.
function isOn(uint256 mutant) pure returns (bool) {
    return uint160(address(${SWITCH_LIBRARY})) == mutant;
}
`,
};

/**
 * The switch of a run that shows which mutants are reached: none is on, and each that is asked for calls the address
 * whose calls Hardhat's simulated chain counts for its own coverage.
 */
export const NONE_IS_ON: Sources = {
  [SWITCH_FILE]: `${HEAD}
/// @notice Reports that this mutant was reached; it is never switched on.
function isOn(uint256 mutant) pure returns (bool) {
    _asPure(_report)(mutant);
    return false;
}

function _report(uint256 mutant) view {
    assembly ("memory-safe") {
        mstore(0x00, mutant)
        pop(staticcall(gas(), 0xc0bEc0BEc0BeC0bEC0beC0bEC0bEC0beC0beC0BE, 0x00, 0x20, 0x00, 0x00))
    }
}

function _asPure(function(uint256) view f) pure returns (function(uint256) pure g) {
    assembly ("memory-safe") {
        g := f
    }
}
`,
};

/** A mutant with its number and place. */
export interface PlacedMutant extends Mutant {
  readonly number: number;
  /** From the repository's root. */
  readonly file: string;
  readonly line: number;
  /** The text that it replaces, on one line. */
  readonly text: string;
  /** The line of source before it. */
  readonly before: string;
}

interface SolcError {
  readonly severity: string;
  readonly formattedMessage: string;
  readonly sourceLocation?: { readonly file: string; readonly start: number; readonly end: number };
}

interface SolcOutput {
  readonly errors?: readonly SolcError[];
  readonly sources?: Readonly<Record<string, { readonly ast: Node }>>;
}

/** Contents by path from the repository's root; one character a byte. */
export type Sources = Readonly<Record<string, string>>;

function analyse(sources: Sources): SolcOutput {
  const entries = Object.entries(sources).map(([path, content]) => [path, { content }]);
  const settings = { outputSelection: { "*": { "": ["ast"] } } };
  const input = { language: "Solidity", sources: Object.fromEntries(entries) as object, settings };
  return JSON.parse(solc.compile(JSON.stringify(input))) as SolcOutput;
}

/**
 * Every mutant of these files, in the order of the source.
 * @param offered What a syntax tree offers: mutants, or what else is to be counted.
 */
export function findMutants(
  sources: Sources,
  files: readonly string[],
  offered: (tree: Node, text: string) => Mutant[] = mutantsOf,
): PlacedMutant[] {
  const trees = analyse(sources).sources!;
  const found = files.flatMap((file) => {
    const text = sources[file]!;
    return offered(trees[file]!.ast, text)
      .sort((a, b) => a.start - b.start || b.end - a.end)
      .map((mutant) => ({
        ...mutant,
        file,
        line: text.slice(0, mutant.start).split("\n").length,
        before: (text.slice(0, mutant.start).split("\n").at(-2) ?? "").trim(),
        text: text.slice(mutant.start, mutant.end).replaceAll(/\s+/g, " "),
      }));
  });
  return found.map((mutant, i) => ({ ...mutant, number: i + 1 }));
}

/** The sources with these mutants in them, and the mutants without those that the compiler refuses. */
export function withMutants(
  sources: Sources,
  mutants: readonly PlacedMutant[],
  switchFiles: Sources = ONE_IS_ON,
): { readonly sources: Sources; readonly mutants: readonly PlacedMutant[] } {
  for (let rest = mutants; ;) {
    const written = writeAll(sources, rest, switchFiles);
    const errors = (analyse(written).errors ?? []).filter(({ severity }) => severity === "error");
    if (errors.length === 0) return { sources: written, mutants: rest };
    const refused = refusedBy(written, rest, errors);
    if (refused.size === 0) throw new Error(errors[0]!.formattedMessage);
    rest = rest.filter(({ number }) => !refused.has(number));
  }
}

/** Numbers of the mutants that these errors are about; others may be once those are gone. */
function refusedBy(
  sources: Sources,
  mutants: readonly PlacedMutant[],
  errors: readonly SolcError[],
): ReadonlySet<number> {
  const unassigned = errors.flatMap((error) => unassignedBy(sources, mutants, error));
  if (unassigned.length > 0) return new Set(unassigned);
  const near = new Set(errors.flatMap((error) => mutantsAt(sources, error)));
  // Most often it is a number, which as a literal had every type: those go first.
  const numbers = mutants.filter(({ number, isNumber }) => isNumber && near.has(number)).map(({ number }) => number);
  return numbers.length > 0 ? new Set(numbers) : near;
}

/** Dropped statements that assign a storage pointer: the compiler blames its declaration, and whatever uses it. */
function unassignedBy(
  sources: Sources,
  mutants: readonly PlacedMutant[],
  { sourceLocation, formattedMessage }: SolcError,
): number[] {
  if (sourceLocation === undefined || !formattedMessage.includes("storage pointer")) return [];
  const { file, start, end } = sourceLocation;
  const name = sources[file]!.slice(start, end).split(" ").at(-1)!;
  return mutants
    .filter((mutant) => mutant.file === file && mutant.operator === "drop statement")
    .filter(({ text }) => text.startsWith(`${name} = `))
    .map(({ number }) => number);
}

/** Numbers of the mutants on the lines of an error. */
function mutantsAt(sources: Sources, { sourceLocation }: SolcError): number[] {
  if (sourceLocation === undefined) return [];
  const { file, start, end } = sourceLocation;
  const text = sources[file]!;
  const lines = text.slice(text.lastIndexOf("\n", start) + 1, end + text.slice(end).indexOf("\n"));
  return [...lines.matchAll(/isOn\((\d+)\)/g)].map(([, number]) => Number(number));
}

function writeAll(sources: Sources, mutants: readonly PlacedMutant[], switchFiles: Sources): Sources {
  const changed = Object.entries(sources).map(([file, text]) => {
    // Their numbers are in the order of the source.
    const own = mutants.filter((mutant) => mutant.file === file).sort((a, b) => a.number - b.number);
    return [file, own.length === 0 ? text : withImport(file, writeRange(text, own, 0, text.length))];
  });
  return { ...(Object.fromEntries(changed) as Sources), ...switchFiles };
}

function withImport(file: string, text: string): string {
  const path = relative(dirname(file), SWITCH_FILE);
  const line = `import {isOn} from "${path.startsWith(".") ? path : `./${path}`}";`;
  return text.replace(/^pragma solidity .*$/m, (pragma) => `${pragma} ${line}`);
}

/** The text in [from, to) with the mutants that lie in it; they come in the order of the source, outer ones first. */
function writeRange(text: string, mutants: readonly PlacedMutant[], from: number, to: number): string {
  const [first, ...others] = mutants;
  if (first === undefined) return text.slice(from, to);
  const isInside = ({ start, end }: Mutant): boolean => start >= first.start && end <= first.end;
  const inner = writeRange(text, others.filter(isInside), first.start, first.end);
  const original = text.slice(first.start, first.end);
  const written = first.write(`isOn(${first.number})`, inner, original);
  const after = others.filter((mutant) => !isInside(mutant));
  return `${text.slice(from, first.start)}${written}${writeRange(text, after, first.end, to)}`;
}
