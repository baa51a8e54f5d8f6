/** `fl setup`: a ceremony after which nobody knows the secrets of a task's keys. */
import type { Command } from "commander";
import { Option } from "commander";
import { formatOption, integerWithin, positiveInteger, reporterFor } from "../command/options.ts";
import { runCommand } from "../command/run.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { ContributeFlags, ExportFlags, ImportFlags, VerifySetupFlags } from "./setup-flags.ts";

const DEFAULT_ITERATION_BITS = 10;

/** Adds `setup import`, `contribute`, `verify` and `export`. */
export function addSetupCommands(program: Command): void {
  const setup = program
    .command("setup")
    .description("make a task's keys in a ceremony, so that nobody knows their secrets");
  formatOption(setup.command("import").description("begin from public powers of tau, which are verified"))
    .requiredOption("--powers <file>", "a .ptau file with contributions")
    .option("--preset <name>", "the circuits' preset", "standard")
    .option("--kinds <n>", "keys for the preset's first so many kinds of chunks", positiveInteger, 1)
    .requiredOption("--out <folder>", "the folder to make")
    .action((flags: ImportFlags) => run(async (reporter) => (await commands()).importPowers(flags, reporter)));
  formatOption(setup.command("contribute").description("multiply the secrets of all keys by new ones, and forget them"))
    .requiredOption("--setup <folder>", "what the contributor before left; verified first")
    .requiredOption("--name <name>", "who contributes, as the keys will say")
    .requiredOption("--out <folder>", "the folder to make")
    .option("--entropy <file>", "a file whose contents are hashed into the secrets, beside the platform's randomness")
    .option("--beacon <hex>", "end the ceremony with public randomness in place of secrets")
    .addOption(
      new Option("--iterations <bits>", "hash the beacon 2^bits times")
        .default(DEFAULT_ITERATION_BITS)
        .argParser(integerWithin(0, 24)),
    )
    .action((flags: ContributeFlags) => run(async (reporter) => (await commands()).contributeToSetup(flags, reporter)));
  formatOption(setup.command("verify").description("check a transcript and the keys that it ends with"))
    .requiredOption("--setup <folder>", "what import, contribute or export made")
    .action((flags: VerifySetupFlags) => run(async (reporter) => (await commands()).verifyFolder(flags, reporter)));
  formatOption(setup.command("export").description("make the key folder that create-task takes"))
    .requiredOption("--setup <folder>", "what the last contributor left; verified first")
    .requiredOption("--out <folder>", "the folder to make")
    .action((flags: ExportFlags) => run(async (reporter) => (await commands()).exportKeys(flags, reporter)));
}

/** Loaded when a command runs. */
const commands = () => import("./setup-commands.ts");

async function run(command: (reporter: Reporter) => Promise<void>): Promise<void> {
  const reporter = reporterFor({ format: "text" }, "fl");
  await runCommand(reporter, async () => command(reporter));
}
