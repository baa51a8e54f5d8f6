/** Options that commands share, so that they look and behave alike. */
import { join } from "node:path";
import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import { addressFault } from "../protocol/address.ts";
import { isVerisumError } from "../protocol/errors.ts";
import { LONGEST_TIMER_MS } from "../protocol/longest-timer.ts";
import type { Hex } from "../protocol/transcript.ts";
import { createReporter } from "./reporter.ts";
import type { Format } from "./reporter.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { SharedRecords } from "../storage/own-record.ts";
import { LOCAL_RPC, nodeUrl, nodeUrls, rpcUrls } from "./urls.ts";
import { userRecords } from "./user-records.ts";

export interface CommonFlags {
  readonly contract: Hex;
  readonly rpc: readonly string[];
  readonly chainId?: bigint;
  readonly key?: string;
  /** In wei. */
  readonly maxFeePerGas?: bigint;
  readonly confirmations?: number;
  readonly fromBlock?: number;
  readonly state?: string;
  readonly store?: string;
  readonly ipfsApi?: string;
  readonly peer: readonly string[];
  readonly pollMs: number;
  readonly format: Format;
}

/**
 * --contract, --rpc, --chain-id, --confirmations; --key and --max-fee-per-gas for commands that send transactions.
 * @param needsContract false if something else can name the contract
 */
export function connectionOptions(command: Command, needsKey: boolean, needsContract = true): Command {
  return formatOption(taskOptions(command, needsKey, needsContract));
}

/** The same without --format. */
export function taskOptions(command: Command, needsKey: boolean, needsContract = true): Command {
  command.addOption(
    new Option("--contract <address>", "the task's contract").makeOptionMandatory(needsContract).argParser(address),
  );
  chainOptions(localRpcOption(command));
  if (needsKey)
    feeOption(
      command.option(
        "--key <file>",
        "the account's key file: keystore JSON, or hex readable by its owner only; else the environment's VERISUM_KEY",
      ),
    );
  return command;
}

/** --max-fee-per-gas: of every command that sends transactions. */
export function feeOption(command: Command): Command {
  return command.option(
    "--max-fee-per-gas <gwei>",
    "send nothing for which a unit of gas would cost more (default: 500)",
    weiOfGwei,
  );
}

/** --rpc, --chain-id: of every command that asks a chain. */
export function endpointOptions(command: Command): Command {
  return localRpcOption(command).addOption(chainIdOption());
}

/** --chain-id, --confirmations, --from-block: how a task's chain is read. */
export function chainOptions(command: Command): Command {
  return command
    .addOption(chainIdOption())
    .addOption(confirmationsOption())
    .addOption(
      new Option("--from-block <n>", "the block that the contract was deployed in; searched for by default").argParser(
        count,
      ),
    );
}

function localRpcOption(command: Command): Command {
  return command.addOption(
    rpcOption("Ethereum JSON-RPC endpoint; repeat it for others to ask where one fails").default(
      LOCAL_RPC,
      LOCAL_RPC[0],
    ),
  );
}

function chainIdOption(): Option {
  return new Option("--chain-id <n>", "refuse any other chain").argParser(wholeNumber);
}

/** --rpc, of a command that has a use for a chain and does without. */
export function rpcOption(description: string): Option {
  return new Option("--rpc <url>", description).env("VERISUM_RPC").argParser(rpcUrls);
}

export function confirmationsOption(): Option {
  return new Option(
    "--confirmations <n>",
    "blocks that make a block final; the chain's finalized tag by default",
  ).argParser(count);
}

/** --state, --store, --peer, --ipfs-api, --poll-ms. */
export function contentOptions(command: Command): Command {
  return peerOption(
    command
      .option("--state <directory>", "private state of this role (default: .verisum/<role>)")
      .option("--store <directory>", "where content is kept (default: inside the state directory)"),
  )
    .option("--ipfs-api <url>", "keep content in an external Kubo node, by its RPC URL", nodeUrl)
    .addOption(
      new Option("--poll-ms <n>", "longest pause between looks at the chain")
        .default(1000)
        .argParser(integerWithin(1, LONGEST_TIMER_MS)),
    );
}

/** --peer. */
export function peerOption(command: Command): Command {
  return command.addOption(
    new Option("--peer <url>", "a node to fetch content from; may be repeated").default([]).argParser(nodeUrls),
  );
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
): T & {
  readonly stateDirectory: string;
  readonly storeDirectory?: string;
  readonly peers: readonly string[];
  readonly records: SharedRecords;
} {
  return {
    ...flags,
    records: userRecords(),
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

/** Parses an option's value, of 20 bytes; a wrong checksum is a typing error. @throws InvalidArgumentError */
export function address(text: string): Hex {
  const fault = addressFault(text);
  if (fault !== undefined) throw new InvalidArgumentError(fault);
  return text.toLowerCase() as Hex;
}

/** Parses an account, or `none`. @throws InvalidArgumentError */
export function addressOrNone(text: string): Hex | null {
  return text === "none" ? null : address(text);
}

function count(text: string): number {
  return Number(wholeNumber(text));
}

/** Parses an option's value. @throws InvalidArgumentError */
export function wholeNumber(text: string): bigint {
  if (!/^[0-9]{1,15}$/.test(text)) throw new InvalidArgumentError(`Give a whole number from 0 to ${10 ** 15 - 1}.`);
  return BigInt(text);
}

/** Parses an option's value. @throws InvalidArgumentError */
export function positiveInteger(text: string): number {
  return integerWithin(1, Number.MAX_SAFE_INTEGER)(text);
}

/** A parser of whole numbers in a range, both ends included. */
export function integerWithin(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(
      most === Number.MAX_SAFE_INTEGER && least === 1
        ? "Give a whole number from 1 on."
        : `Give a whole number from ${least} to ${most}.`,
    );
  };
}

/** Parses a time in whole seconds that a timer can wait. @throws InvalidArgumentError */
export function timerSeconds(text: string): number {
  return integerWithin(1, Math.floor(LONGEST_TIMER_MS / 1000))(text);
}

/** Parses an option's value. @throws InvalidArgumentError */
export function positiveNumber(text: string): number {
  const value = finiteNumber(text);
  if (value <= 0) throw new InvalidArgumentError("Give a number above 0.");
  return value;
}

/** Parses a price above 0 in gwei, to the wei. @throws InvalidArgumentError */
function weiOfGwei(text: string): bigint {
  const [, whole = "0", fraction = ""] = /^([0-9]{1,12})(?:\.([0-9]{1,9}))?$/.exec(text) ?? [];
  const wei = BigInt(whole + fraction.padEnd(9, "0"));
  if (wei === 0n) throw new InvalidArgumentError("Give gwei above 0, such as 80 or 0.5.");
  return wei;
}

/** Parses a number in decimal digits, with an exponent or without. @throws InvalidArgumentError */
export function finiteNumber(text: string): number {
  const value = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$/i.test(text) ? Number(text) : NaN;
  if (!Number.isFinite(value)) throw new InvalidArgumentError("It is not a number: write it like 3, 0.5 or 1e-5.");
  return value;
}

/** A parser of several values, separated by commas. */
export function listOf<T>(parse: (text: string) => T): (text: string) => readonly T[] {
  return (text) => text.split(",").map((item) => parse(item.trim()));
}

/** Parses a positive number, or `none`. @throws InvalidArgumentError */
export function numberOrNone(text: string): number | null {
  return text === "none" ? null : positiveNumber(text);
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
