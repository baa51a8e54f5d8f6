/** Options that the operator's commands share. */
import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { address, endpointOptions, integerWithin } from "../command/options.ts";
import { createReporter } from "../command/reporter.ts";
import { MAX_TOTAL_WEIGHT } from "../protocol/parameters.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { Roster } from "./roster.ts";

/** --rpc, --chain-id, --key, --out, --again: of everything that is paid. */
export function paymentOptions(command: Command): Command {
  return endpointOptions(command)
    .option("--key <file>", "the operator's key file; else the environment's VERISUM_KEY")
    .option("--out <directory>", "where the deployment is written down, and what was signed", "deployments")
    .option("--again", "do it once more although it is done, and pay again", false);
}

/** --fund. */
export function fundOption(command: Command): Command {
  return command.option(
    "--fund <ether>",
    "also send each member and client this much from the operator's account, for gas",
    ether,
  );
}

/** Results go to stdout, everything else to stderr. */
export function reporterOf(who: string): Reporter {
  return createReporter("text", who, (line) => void process.stderr.write(`${line}\n`), Date.now);
}

/** Parses `address` or `address:weight`. @throws InvalidArgumentError */
export function client(text: string): Roster["clients"][number] {
  const [account = "", weight = "1", ...rest] = text.split(":");
  if (rest.length > 0) throw new InvalidArgumentError("an address, and a weight behind a colon");
  return { account: address(account), weight: integerWithin(1, MAX_TOTAL_WEIGHT)(weight) };
}

/** In wei. */
function ether(text: string): bigint {
  const [, whole, fraction = ""] = /^([0-9]{1,9})(?:\.([0-9]{1,18}))?$/.exec(text) ?? [];
  if (whole === undefined) throw new InvalidArgumentError("an amount of ether, such as 0.05");
  return BigInt(whole + fraction.padEnd(18, "0"));
}
