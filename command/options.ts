/** Options that commands share, so that they look and behave alike. */
import { join } from "node:path";
import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import { isVerisumError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import { createReporter } from "./reporter.ts";
import type { Format } from "./reporter.ts";
import type { Reporter } from "../protocol/reporter.ts";

export interface CommonFlags {
  readonly contract: Hex;
  readonly rpc: string;
  readonly chainId?: bigint;
  readonly key?: string;
  readonly confirmations?: number;
  readonly state?: string;
  readonly store?: string;
  readonly ipfsApi?: string;
  readonly peer: readonly string[];
  readonly pollMs: number;
  readonly format: Format;
}

/** --contract, --rpc, --chain-id, --confirmations, and --key for commands that send transactions. */
export function connectionOptions(command: Command, needsKey: boolean): Command {
  command
    .addOption(new Option("--contract <address>", "the task's contract").makeOptionMandatory().argParser(address))
    .addOption(
      new Option("--rpc <url>", "Ethereum JSON-RPC endpoint").default("http://127.0.0.1:8545").env("VERISUM_RPC"),
    )
    .addOption(new Option("--chain-id <n>", "refuse any other chain").argParser(wholeNumber))
    .addOption(
      new Option(
        "--confirmations <n>",
        "blocks that make a block final; the chain's finalized tag by default",
      ).argParser(count),
    );
  if (needsKey)
    command.option(
      "--key <file>",
      "the account's key file: keystore JSON, or hex readable by its owner only; else the environment's VERISUM_KEY",
    );
  return formatOption(command);
}

/** --state, --store, --peer, --ipfs-api, --poll-ms. */
export function contentOptions(command: Command): Command {
  return command
    .option("--state <directory>", "private state of this role (default: .verisum/<role>)")
    .option("--store <directory>", "where content is kept (default: inside the state directory)")
    .addOption(
      new Option("--peer <url>", "a node to fetch content from; may be repeated")
        .default([])
        .argParser((url: string, all: readonly string[]) => [...all, url]),
    )
    .option("--ipfs-api <url>", "keep content in an external Kubo node, by its RPC URL")
    .addOption(new Option("--poll-ms <n>", "longest pause between looks at the chain").default(1000).argParser(count));
}

export function formatOption(command: Command): Command {
  return command.addOption(
    new Option("--format <format>", "text for people, json for programs (one object a line)")
      .choices(["text", "json"])
      .default("text"),
  );
}

/** What a node needs of these flags, with the role's own folder where none is named. */
export function nodeOptions<T extends CommonFlags>(
  flags: T,
  role: string,
): T & { readonly stateDirectory: string; readonly storeDirectory?: string; readonly peers: readonly string[] } {
  return {
    ...flags,
    stateDirectory: flags.state ?? join(".verisum", role),
    ...(flags.store === undefined ? {} : { storeDirectory: flags.store }),
    peers: flags.peer,
  };
}

/** Progress goes to stderr as text, to stdout as JSON lines. */
export function reporterFor(flags: { readonly format: Format }, who: string): Reporter {
  const stream = flags.format === "json" ? process.stdout : process.stderr;
  return createReporter(flags.format, who, (line) => void stream.write(`${line}\n`), Date.now);
}

function address(text: string): Hex {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw new InvalidArgumentError("an address has 0x and 40 hexadecimal digits");
  return text.toLowerCase() as Hex;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError("a whole number");
  return value;
}

/** Parses an option's value. @throws InvalidArgumentError */
export function wholeNumber(text: string): bigint {
  if (!/^[0-9]+$/.test(text)) throw new InvalidArgumentError("a whole number");
  return BigInt(text);
}

/** Parses an option's value. @throws InvalidArgumentError */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a positive whole number");
  return value;
}

/** Parses an option's value. @throws InvalidArgumentError */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("a positive number");
  return value;
}

/** A parser of another room, as an option's: what it refuses is wrong use of the command line. */
export function refusing<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (!isVerisumError(error, "USAGE")) throw error;
      throw new InvalidArgumentError(error.message);
    }
  };
}
