/** Writes the reference pages that follow from code: `docs/errors.md`. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { exitStatusOf } from "../adapters/cli/run.ts";
import { ERROR_CODES } from "../protocol/errors.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { ERROR_ADVICE } from "./docs/error-advice.ts";

const INTERFACE = fileURLToPath(new URL("../contracts/interfaces/IVerisum.sol", import.meta.url));

/** Pages by path from the project's root. */
export function generateDocFiles(): Record<string, string> {
  return { "docs/errors.md": errorsPage() };
}

function errorsPage(): string {
  const codes = Object.entries(ERROR_CODES) as readonly [ErrorCode, string][];
  return `# Errors

Generated from \`protocol/errors.ts\`, \`scripts/docs/error-advice.ts\` and \`contracts/interfaces/IVerisum.sol\` by \`npm run generate\`.

Every failure that the programs expect ends in one line with a code: \`✗ CODE: what happened\`. The exit status is 0 for success, 1 for a
job that failed, 2 for a chain or content that cannot be reached, 3 for an interruption, 4 for wrong use and 5 for a defect of the program.
With \`--format json\` the code is the field \`code\`.

| code | exit | cause | what to do |
| --- | --- | --- | --- |
${codes.map(([code, cause]) => row([`\`${code}\``, String(exitStatusOf(code)), cause, ERROR_ADVICE[code]])).join("\n")}

## Errors of the contract

\`CHAIN_REVERTED\` carries one of these with its values.

| error | values | meaning |
| --- | --- | --- |
${contractErrors().map(row).join("\n")}
`;
}

/** Name, parameters and documentation of each custom error of the interface. */
function contractErrors(): string[][] {
  const source = readFileSync(INTERFACE, "utf8");
  return [...source.matchAll(/((?:^ *\/\/\/.*\n)*) *error (\w+)\((.*)\);/gm)].map(([, comment, name, parameters]) => [
    `\`${name!}\``,
    parameters === "" ? "" : `\`${parameters!}\``,
    meaningOf(comment!) || inWords(name!),
  ]);
}

function meaningOf(comment: string): string {
  return comment.replaceAll(/^ *\/\/\/ (@dev |@notice )?/gm, "").replaceAll(/@param (\w+)/g, "`$1`:").replaceAll("\n", " ").trim();
}

/** `VerisumNoRoundKey` as "No round key." */
function inWords(name: string): string {
  const words = name.replace("Verisum", "").replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return `${words}.`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
