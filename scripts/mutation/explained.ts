/**
 * Mutants that behave as the contract does, or differ only in what no test can see, each with its reason;
 * a test wants every entry to name mutants that exist.
 */
import type { Result } from "./results.ts";

/** What names mutants: those that agree with every field. `before` is the line of source before, where text repeats. */
export type MutantName = Pick<Result, "file" | "text"> & Partial<Pick<Result, "operator" | "before">>;

/** One reason, with the mutants that it holds for. */
export interface Explanation {
  readonly reason: string;
  readonly mutants: readonly MutantName[];
}

export const EXPLAINED: readonly Explanation[] = [
  {
    reason: "no round opens before a seat is filled, which begins the window anew",
    mutants: [
      {
        file: "contracts/Verisum.sol",
        operator: "drop statement",
        text: "_restartKeyWindow();",
        before: "_modelCid = p.genesisCid;",
      },
    ],
  },
  {
    reason: "costs gas only: the slot of a record is written earlier, so that a submission overwrites it",
    mutants: [
      {
        file: "contracts/RoundBase.sol",
        operator: "drop statement",
        text: "_records[index] = bytes32(uint256(1));",
      },
      { file: "contracts/Registration.sol", operator: "drop statement", text: "_reserveRecord(clientCount);" },
    ],
  },
];

/** Whether a name is this mutant's. */
export function isNamed(mutant: MutantName & Pick<Result, "operator" | "before">, name: MutantName): boolean {
  return Object.entries(name).every(([field, value]) => mutant[field as keyof MutantName] === value);
}

/** Why this mutant cannot be noticed, or undefined. */
export function reasonFor(mutant: Pick<Result, "file" | "text" | "operator" | "before">): string | undefined {
  return EXPLAINED.find(({ mutants }) => mutants.some((name) => isNamed(mutant, name)))?.reason;
}
