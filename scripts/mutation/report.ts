/** What a mutation run found, with the reasons why some mutants cannot be noticed. */
import type { Trial } from "./copy.ts";
import type { PlacedMutant } from "./schemata.ts";

/** One mutant that was tried, as the results file keeps it. */
export interface Result extends Trial {
  readonly id: string;
  readonly file: string;
  readonly line: number;
  readonly operator: string;
  readonly text: string;
  readonly before: string;
}

/** Mutants that behave as the contract does, by the line before them where the same text stands twice. */
const EQUIVALENT: readonly (Pick<Result, "file" | "text"> & Partial<Result> & { readonly reason: string })[] = [
  {
    file: "contracts/Verisum.sol",
    operator: "drop statement",
    text: "_restartKeyWindow();",
    before: "_modelCid = p.genesisCid;",
    reason: "no round opens before a seat is filled, which begins the window anew",
  },
  {
    file: "contracts/RoundBase.sol",
    operator: "drop statement",
    text: "_records[index] = bytes32(uint256(1));",
    reason: "costs gas only: the slot of a record is written earlier, so that a submission overwrites it",
  },
  {
    file: "contracts/Registration.sol",
    operator: "drop statement",
    text: "_reserveRecord(clientCount);",
    reason: "costs gas only: the slot of a record is written earlier, so that a submission overwrites it",
  },
];

/** The same for as long as the contracts and their tests are. */
export function idOf({ file, line, start, operator }: PlacedMutant, digest: string): string {
  return [digest, file, line, start, operator].join(":");
}

function reasonFor(result: Result): string | undefined {
  return EQUIVALENT.find(({ reason: _, ...known }) =>
    Object.entries(known).every(([field, value]) => result[field as keyof Result] === value),
  )?.reason;
}

/** The report: the score, then each survivor by file and line, with its reason if it has one. */
export function reportOf(results: readonly Result[], found: number): string {
  const survivors = results.filter(({ outcome }) => outcome === "survived");
  const unexplained = survivors.filter((result) => reasonFor(result) === undefined);
  const counted = results.length - (survivors.length - unexplained.length);
  const killed = results.length - survivors.length;
  const share = counted === 0 ? 0 : (100 * killed) / counted;
  return [
    "# Mutants of the contracts",
    "",
    `${results.length} of ${found} mutants tried: ${killed} killed, ${survivors.length} survived, of which ` +
      `${survivors.length - unexplained.length} behave as the contract does. Killed: ${share.toFixed(1)} %.`,
    "",
    ...survivors.map((result) => {
      const reason = reasonFor(result);
      const text = result.text.slice(0, 90).replaceAll("`", "'");
      return `- ${result.file}:${result.line} ${result.operator}: \`${text}\`${reason === undefined ? "" : ` (${reason})`}`;
    }),
    "",
  ].join("\n");
}
