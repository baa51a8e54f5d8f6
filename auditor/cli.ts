/**
 * `fl`: what anybody can do without an account: verify, look, download, find what is wrong; and make keys, alone or in
 * a ceremony. What a command does is loaded when it runs.
 */
import { platformRandom } from "../command/platform-random.ts";
import {
  address,
  connectionOptions,
  contentOptions,
  formatOption,
  timerSeconds,
  reporterFor,
  wholeNumber,
} from "../command/options.ts";
import type { CommonFlags } from "../command/options.ts";
import { createProgram } from "../command/program.ts";
import { runCommand } from "../command/run.ts";
import { addDashboardCommand } from "./dashboard-options.ts";
import { addDoctorCommand } from "./doctor-options.ts";
import { addModelCommands } from "./model-options.ts";
import { addPrivacyCommands } from "./privacy-options.ts";
import { addSetupCommands } from "./setup-options.ts";
import type { StatusFlags } from "./inspect.ts";
import type { VerifyFlags } from "./verify.ts";

const program = createProgram("fl", "Verify and inspect Verisum tasks. No account needed.");

contentOptions(
  connectionOptions(
    program.command("verify").description("re-check a task from the chain and IPFS alone, bit for bit"),
    false,
  ),
)
  .option("--round <n>", "stop after this round", wholeNumber)
  .option("--skip-deployment", "leave deployment() as it is answered: on chains whose contracts see other blocks")
  .option("--data <spec>", "measure each model on this test data, and compare that with what the aggregator claims")
  .option("--report <file>", "write what was verified as two documents to be filed: file.html and file.json")
  .option("--timeout <seconds>", "end after so long without progress", timerSeconds, 300)
  .action(async (flags: VerifyFlags) => {
    const reporter = reporterFor({ format: "text" }, "auditor");
    await runCommand(reporter, async (signal) => (await import("./verify.ts")).verify(flags, reporter, signal));
  });

contentOptions(connectionOptions(program.command("status").description("show a task's state"), false))
  .option(
    "--client <address>",
    "also show what this account is as a client, and what its own rounds cost of its privacy",
    address,
  )
  .action(async (flags: StatusFlags) => {
    const reporter = reporterFor({ format: "text" }, "fl");
    await runCommand(reporter, async (signal) => (await import("./inspect.ts")).showStatus(flags, reporter, signal));
  });

addModelCommands(program);

contentOptions(
  connectionOptions(
    program.command("statistics").description("audit a task of statistics, and write what its round summed up"),
    false,
  ),
)
  .option("--out <file>", "where to write it, for create-task --statistics; standard output if absent")
  .action(async (flags: CommonFlags & { readonly out?: string }) => {
    const reporter = reporterFor({ format: "text" }, "fl");
    await runCommand(reporter, async (signal) =>
      (await import("./statistics.ts")).writeStatistics(flags, reporter, signal),
    );
  });

formatOption(program.command("keygen").description("make an account's key file, readable by its owner only"))
  .requiredOption("--out <file>", "the file to create; never overwritten")
  .action(async (flags: { readonly out: string; readonly format: "text" | "json" }) => {
    const reporter = reporterFor({ format: "text" }, "fl");
    await runCommand(reporter, async () => (await import("./keygen.ts")).makeKey(flags, platformRandom));
  });

addDashboardCommand(program);
addDoctorCommand(program);
addPrivacyCommands(program);
addSetupCommands(program);

await program.parseAsync();
