/** Options that the operator's commands share. */
import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { address, endpointOptions, feeOption, integerWithin } from "../command/options.ts";
import { createReporter } from "../command/reporter.ts";
import { MAX_TOTAL_WEIGHT } from "../protocol/parameters.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { Roster } from "./roster.ts";

/** --rpc, --chain-id, --key, --max-fee-per-gas, --out, --again: of everything that is paid. */
export function paymentOptions(command: Command): Command {
  return feeOption(
    endpointOptions(command).option("--key <file>", "the operator's key file; else the environment's VERISUM_KEY"),
  )
    .option("--out <directory>", "where the deployment is written down, and what was signed", "deployments")
    .option("--again", "do it once more although it is done, and pay again", false);
}

/** --fund. @param what whom it sends how much, and from where */
export function fundOption(
  command: Command,
  what = "each member and client this much from the operator's account",
): Command {
  return command.option("--fund <ether>", `also send ${what}, for gas`, ether);
}

/** Results go to stdout, everything else to stderr. */
export function reporterOf(who: string): Reporter {
  return createReporter("text", who, (line) => void process.stderr.write(`${line}\n`), Date.now);
}

/** Parses `address` or `address:weight`. @throws InvalidArgumentError */
export function client(text: string): Roster["clients"][number] {
  const [account = "", weight = "1", ...rest] = text.split(":");
  if (rest.length > 0)
    throw new InvalidArgumentError("Give an address, or an address and a weight with a colon between them.");
  return { account: address(account), weight: integerWithin(1, MAX_TOTAL_WEIGHT)(weight) };
}

/** Of a number of minutes, hours or days. */
const MOST_DIGITS = 4;
const SECONDS = { m: 60, h: 3600, d: 86_400 } as const;

/** Parses minutes, hours or days into seconds. @throws InvalidArgumentError */
export function duration(text: string): number {
  const [, count, unit] = /^([1-9][0-9]*)([mhd])$/.exec(text) ?? [];
  if (count === undefined)
    throw new InvalidArgumentError("Give a whole number of minutes, hours or days: 30m, 12h, 7d.");
  if (count.length > MOST_DIGITS)
    throw new InvalidArgumentError(`Give at most ${10 ** MOST_DIGITS - 1} minutes, hours or days.`);
  return Number(count) * SECONDS[unit as keyof typeof SECONDS];
}

/** In wei. */
function ether(text: string): bigint {
  const [, whole, fraction = ""] = /^([0-9]{1,9})(?:\.([0-9]{1,18}))?$/.exec(text) ?? [];
  if (whole === undefined) throw new InvalidArgumentError("Give an amount of ether, such as 0.05.");
  return BigInt(whole + fraction.padEnd(18, "0"));
}
