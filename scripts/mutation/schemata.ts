/**
 * All mutants in one compilation: each stands in the source beside what it replaces, chosen by a number that is the
 * address of a library, which the compiler leaves open until the contract is linked.
 */
import { createRequire } from "node:module";
import { dirname, relative } from "node:path";
import { mutantsOf } from "./operators.ts";
import type { Mutant, Node } from "./operators.ts";

const solc = createRequire(import.meta.url)("solc") as { compile(input: string): string };

/** Where the switch lives in the copy. */
export const SWITCH_FILE = "contracts/MutantSwitch.sol";
export const SWITCH_LIBRARY = "MutantSwitch";
const SWITCH_SOURCE = `// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @notice Its address is the number of the mutant that is switched on.
library ${SWITCH_LIBRARY} {
    /// @notice Makes the library one that is linked.
    function nothing() external {}
}

/// @notice The number of the mutant that is switched on.
function mutant() pure returns (uint256) {
    return uint160(address(${SWITCH_LIBRARY}));
}
`;

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

/** Every mutant of these files, in the order of the source. */
export function findMutants(sources: Sources, files: readonly string[]): PlacedMutant[] {
  const trees = analyse(sources).sources!;
  const found = files.flatMap((file) => {
    const text = sources[file]!;
    return mutantsOf(trees[file]!.ast, text)
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
): { readonly sources: Sources; readonly mutants: readonly PlacedMutant[] } {
  for (let rest = mutants; ;) {
    const written = writeAll(sources, rest);
    const errors = (analyse(written).errors ?? []).filter(({ severity }) => severity === "error");
    if (errors.length === 0) return { sources: written, mutants: rest };
    const near = new Set(errors.flatMap((error) => mutantsAt(written, error)));
    // Most often it is a number, which as a literal had every type: those go first.
    const numbers = rest.filter(({ number, isNumber }) => isNumber && near.has(number)).map(({ number }) => number);
    const refused = numbers.length > 0 ? new Set(numbers) : near;
    if (refused.size === 0) throw new Error(errors[0]!.formattedMessage);
    rest = rest.filter(({ number }) => !refused.has(number));
  }
}

/** Numbers of the mutants on the lines of an error. */
function mutantsAt(sources: Sources, { sourceLocation }: SolcError): number[] {
  if (sourceLocation === undefined) return [];
  const { file, start, end } = sourceLocation;
  const text = sources[file]!;
  const lines = text.slice(text.lastIndexOf("\n", start) + 1, end + text.slice(end).indexOf("\n"));
  return [...lines.matchAll(/mutant\(\) == (\d+)/g)].map(([, number]) => Number(number));
}

function writeAll(sources: Sources, mutants: readonly PlacedMutant[]): Sources {
  const changed = Object.entries(sources).map(([file, text]) => {
    // Their numbers are in the order of the source.
    const own = mutants.filter((mutant) => mutant.file === file).sort((a, b) => a.number - b.number);
    return [file, own.length === 0 ? text : withImport(file, writeRange(text, own, 0, text.length))];
  });
  return { ...(Object.fromEntries(changed) as Sources), [SWITCH_FILE]: SWITCH_SOURCE };
}

function withImport(file: string, text: string): string {
  const path = relative(dirname(file), SWITCH_FILE);
  const line = `import {mutant} from "${path.startsWith(".") ? path : `./${path}`}";`;
  return text.replace(/^pragma solidity .*$/m, (pragma) => `${pragma} ${line}`);
}

/** The text in [from, to) with the mutants that lie in it; they come in the order of the source, outer ones first. */
function writeRange(text: string, mutants: readonly PlacedMutant[], from: number, to: number): string {
  const [first, ...others] = mutants;
  if (first === undefined) return text.slice(from, to);
  const isInside = ({ start, end }: Mutant): boolean => start >= first.start && end <= first.end;
  const inner = writeRange(text, others.filter(isInside), first.start, first.end);
  const original = text.slice(first.start, first.end);
  const written = first.write(`mutant() == ${first.number}`, inner, original);
  const after = others.filter((mutant) => !isInside(mutant));
  return `${text.slice(from, first.start)}${written}${writeRange(text, after, first.end, to)}`;
}
