/** `fl doctor`: finds what keeps a role from working, before it is started or while it runs. */
import type { Command } from "commander";
import { Option } from "commander";
import { listenAddress } from "../command/listen-address.ts";
import {
  address,
  chainOptions,
  formatOption,
  peerOption,
  timerSeconds,
  reporterFor,
  rpcOption,
} from "../command/options.ts";
import { runCommand } from "../command/run.ts";
import { LOCAL_RPC, nodeUrl } from "../command/urls.ts";
import type { DoctorFlags } from "./doctor/run-doctor.ts";

const DEFAULT_TIMEOUT_SECONDS = 30;

type Flags = Omit<DoctorFlags, "rpc"> & { readonly rpc?: readonly string[] };

/** Adds `doctor`, which takes the options of the role that it is for. */
export function addDoctorCommand(program: Command): void {
  const command = program
    .command("doctor")
    .description("check machine, chain, task, account and peers, and say what to do; takes a role's own options")
    .option("--contract <address>", "the task's contract; without it the machine is checked", address)
    .addOption(rpcOption(`Ethereum JSON-RPC endpoint; repeat it for others (with --contract: ${LOCAL_RPC[0]})`));
  formatOption(peerOption(chainOptions(command)))
    .option("--key <file>", "the account's key file; else the environment's VERISUM_KEY, if it is set")
    .option("--state <directory>", "the role's private state")
    .option("--store <directory>", "where content is kept (default: inside the state directory)")
    .option("--ipfs-api <url>", "the external Kubo node, by its RPC URL", nodeUrl)
    .option("--data <spec>", "the client's data, or the aggregator's test data")
    .addOption(new Option("--listen <host:port>", "where the role's gateway listens").argParser(listenAddress))
    .option("--timeout <seconds>", "longest time that one check takes", timerSeconds, DEFAULT_TIMEOUT_SECONDS)
    .action(async (flags: Flags) => {
      const reporter = reporterFor({ format: "text" }, "fl");
      const rpc = flags.rpc ?? (flags.contract === undefined ? [] : LOCAL_RPC);
      await runCommand(reporter, async (signal) =>
        (await import("./doctor/run-doctor.ts")).runDoctor({ ...flags, rpc }, signal),
      );
    });
}
