/** The root of a command line. */
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { ERRORS } from "../protocol/errors.ts";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

/**
 * A program whose wrong use ends as every other failure does, in a line with a code and a status of its own. Its
 * subcommands inherit that.
 */
export function createProgram(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .version(version)
    .configureOutput({ outputError: (text, write) => write(`✗ USAGE: ${text.replace(/^error: /, "")}`) })
    .showHelpAfterError("  --help lists what there is")
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : ERRORS.USAGE.exit));
}
