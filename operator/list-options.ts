/**
 * Commands about who takes part in a task that is deployed: add-member, add-client, remove-client, replace-member,
 * list, open, invite.
 */
import { Option } from "commander";
import type { Command } from "commander";
import { ZERO_ADDRESS } from "../chain/lists.ts";
import {
  address,
  addressOrNone,
  connectionOptions,
  integerWithin,
  peerOption,
  rpcOption,
  wholeNumber,
} from "../command/options.ts";
import { runCommand } from "../command/run.ts";
import { MAX_COMMITTEE } from "../protocol/parameters.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { InviteFlags } from "./invite.ts";
import type { ListChange } from "./list-changes.ts";
import { client, duration, fundOption, paymentOptions, reporterOf } from "./options.ts";
import type { Roster } from "./roster.ts";
import type { AddFlags, ListFlags, OpenFlags } from "./run-lists.ts";

/** Adds the commands. What they do is loaded when they run. */
export function addListCommands(program: Command): void {
  addAdding(
    program
      .command("add-member")
      .description("seat members of a task that has no round yet, in this order, as its operator")
      .argument("<address...>", "their accounts", collecting<Hex>(address)),
    (members: readonly Hex[]) => ({ members, clients: [] }),
  );
  addAdding(
    program
      .command("add-client")
      .description("list clients of a task, who take part from the next round on, as its operator")
      .argument("<address[:weight]...>", "their accounts; a weight is 1 unless told", collecting(client)),
    (clients: Roster["clients"]) => ({ members: [], clients }),
  );
  addChange(
    program
      .command("remove-client")
      .description(
        "take clients off from the next round on: the operator, the client itself, or whoever may by refusals",
      )
      .argument("<address...>", "their accounts", collecting<Hex>(address)),
    (accounts: readonly Hex[]) => ({ kind: "remove-clients", accounts }),
  );
  addChange(
    fundOption(
      program
        .command("replace-member")
        .description("give a seat to another member from the next round on, as its operator or its member")
        .argument("<seat>", "its number, from 1", integerWithin(1, MAX_COMMITTEE))
        .argument("<address>", "the next member's account; none leaves the seat empty", addressOrNone),
      "the next member this much from the account that pays",
    ),
    (seat: number, member: Hex | null) => ({ kind: "replace-member", seat, member: member ?? ZERO_ADDRESS }),
  );
  connectionOptions(
    program.command("list").description("show a task's members, clients and next round; needs no account"),
    false,
  ).action(async (flags: ListFlags) => {
    await runCommand(reporterOf("list"), async () => (await import("./run-lists.ts")).runList(flags));
  });
  paymentOptions(
    contractOption(
      program
        .command("open")
        .description("open the next round if it can, or say why it cannot; prints its number alone"),
    ),
  ).action(async (flags: OpenFlags) => {
    const reporter = reporterOf("open");
    await runCommand(reporter, async (signal) => (await import("./run-lists.ts")).runOpen(flags, reporter, signal));
  });
  peerOption(
    contractOption(
      program
        .command("invite")
        .description("sign a file by which clients find and check a task; prints its name alone"),
    ),
  )
    .addOption(rpcOption("an endpoint of the chain that clients use; may be repeated").makeOptionMandatory())
    .option("--chain-id <n>", "refuse any other chain", wholeNumber)
    .option("--key <file>", "the operator's key file; else the environment's VERISUM_KEY")
    .addOption(
      new Option("--expires <time>", "how long it is good for, in minutes, hours or days: 30m, 12h or 7d")
        .default(duration("7d"), "7d")
        .argParser(duration),
    )
    .requiredOption("--out <file>", "the file to write; it holds no secret")
    .action(async (flags: InviteFlags) => {
      const reporter = reporterOf("invite");
      const now = Math.floor(Date.now() / 1000);
      await runCommand(reporter, async () => (await import("./invite.ts")).runInvite(flags, reporter, now));
    });
}

/** --contract, of a command that reads nothing but the chain. */
function contractOption(command: Command): Command {
  return command.requiredOption("--contract <address>", "the task's contract", address);
}

function addAdding<T>(command: Command, rosterOf: (accounts: readonly T[]) => Roster): void {
  paymentOptions(fundOption(contractOption(command))).action(async (accounts: readonly T[], flags: AddFlags) => {
    const reporter = reporterOf(command.name());
    await runCommand(reporter, async (signal) =>
      (await import("./run-lists.ts")).runAdd(flags, rosterOf(accounts), reporter, signal),
    );
  });
}

function addChange<T extends readonly unknown[]>(command: Command, changeOf: (...given: T) => ListChange): void {
  paymentOptions(contractOption(command)).action(async (...given: readonly unknown[]) => {
    // The arguments, the flags, the command.
    const [flags, change] = [given.at(-2) as AddFlags, changeOf(...(given.slice(0, -2) as unknown as T))];
    const reporter = reporterOf(command.name());
    await runCommand(reporter, async (signal) =>
      (await import("./run-lists.ts")).runChange(flags, change, reporter, signal),
    );
  });
}

/** A parser of one argument more. */
function collecting<T>(parse: (text: string) => T): (text: string, before: readonly T[] | undefined) => readonly T[] {
  return (text, before = []) => [...before, parse(text)];
}
