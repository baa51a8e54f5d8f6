/** `fl dashboard`. */
import type { Command } from "commander";
import { Option } from "commander";
import { listenAddress } from "../command/listen-address.ts";
import type { ListenAddress } from "../command/listen-address.ts";
import {
  address,
  confirmationsOption,
  contentOptions,
  endpointOptions,
  formatOption,
  reporterFor,
} from "../command/options.ts";
import { repeatable } from "../command/repeatable.ts";
import { runCommand } from "../command/run.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { DashboardFlags } from "./dashboard.ts";

const LISTEN: ListenAddress = { host: "127.0.0.1", port: 7800 };

const contracts = repeatable((text: string, before: readonly Hex[] = []) => [...before, address(text)]);

/** Adds `dashboard`. */
export function addDashboardCommand(program: Command): void {
  const command = program
    .command("dashboard")
    .description("show tasks in a browser: rounds, participants, models, and an API over them")
    .addOption(
      new Option("--contract <address>", "a task's contract; repeat it for more tasks")
        .makeOptionMandatory()
        .argParser(contracts),
    );
  formatOption(contentOptions(endpointOptions(command).addOption(confirmationsOption())))
    .addOption(
      new Option("--listen <host:port>", "where to serve")
        .default(LISTEN, `${LISTEN.host}:${LISTEN.port}`)
        .argParser(listenAddress),
    )
    .option("--database <path>", "where the index is kept: a file, or postgres://… (default: in the state directory)")
    .action(async (flags: DashboardFlags) => {
      const reporter = reporterFor(flags, "dashboard");
      await runCommand(reporter, async (signal) =>
        (await import("./dashboard.ts")).showDashboard(flags, reporter, signal),
      );
    });
}
