/** The root of a command line. */
import { Command, InvalidArgumentError } from "commander";
import type { Option } from "commander";
import { ERRORS } from "../protocol/errors.ts";
import { isSecretKey, maskTyped } from "../protocol/secrets.ts";
import { failureLine, failureOf } from "./failure.ts";
import { keepOutput } from "./output.ts";
import { isRepeatable } from "./repeatable.ts";
import { VERSION } from "./version.ts";

/**
 * A command whose options, whatever they are, take no blank value and no secret key, be it from the command line or the
 * environment. They stand on the command line once, unless their parser adds to what came before. Its subcommands are
 * such commands as well.
 */
class GuardedCommand extends Command {
  override createCommand(name?: string): Command {
    return new GuardedCommand(name);
  }

  /** Runs the command of the process: from now on whatever is not caught is said and ends it. */
  override parseAsync(...args: Parameters<Command["parseAsync"]>): Promise<this> {
    keepOutput();
    process.on("uncaughtException", (error) => {
      process.stderr.write(`${failureLine(error)}\n`);
      process.exit(failureOf(error).status);
    });
    return super.parseAsync(...args);
  }

  override addOption(option: Option): this {
    const { parseArg } = option;
    if (!option.required) return super.addOption(option);
    return super.addOption(
      option.argParser((text: string, previous: unknown) => {
        refuseUnusable(text);
        if (!isRepeatable(parseArg) && this.getOptionValueSource(option.attributeName()) === "cli")
          throw new InvalidArgumentError("The option was given before: give it once.");
        return parseArg === undefined ? text : parseArg(text, previous as never);
      }),
    );
  }
}

/** @throws InvalidArgumentError */
function refuseUnusable(text: string): void {
  if (text.trim() === "") throw new InvalidArgumentError("It is blank: give a value, or leave the option out.");
  if (isSecretKey(text))
    throw new InvalidArgumentError(
      "It looks like a secret key, which others see on a command line: write it into a file with mode 0600 and name that, or set VERISUM_KEY. If it is in use, replace it.",
    );
}

/**
 * A program whose wrong use ends as every other failure does, in a line with a code and a status of its own; so does
 * what nobody catches once it runs. Its subcommands inherit that.
 */
export function createProgram(name: string, description: string): Command {
  return new GuardedCommand(name)
    .description(description)
    .version(VERSION)
    .configureOutput({ outputError: (text, write) => write(`✗ USAGE: ${withoutValues(text.replace(/^error: /, ""))}`) })
    .showHelpAfterError("  --help lists what there is")
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : ERRORS.USAGE.exit));
}

/** What was typed may be a secret, be it in an endpoint, in a key's place, or behind an option that there is not. */
function withoutValues(text: string): string {
  return maskTyped(text).replace(/(--?[a-zA-Z][\w-]*)=[^']*'/g, "$1=…'");
}
