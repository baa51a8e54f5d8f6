/** The root of a command line. */
import { Command } from "commander";
import { exitStatusOf } from "./run.ts";

/**
 * A program whose wrong use ends as every other failure does, in a line with a code and a status of its own. Its
 * subcommands inherit that.
 */
export function createProgram(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .configureOutput({ outputError: (text, write) => write(`✗ USAGE: ${text.replace(/^error: /, "")}`) })
    .showHelpAfterError("  --help lists what there is")
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : exitStatusOf("USAGE")));
}
