/** `fl-client`: take part in a task with local data. */
import {
  connectionOptions,
  contentOptions,
  formatOption,
  proverOption,
  positiveInteger,
  reporterFor,
} from "../command/options.ts";
import { platformRandom } from "../command/platform-random.ts";
import { createProgram } from "../command/program.ts";
import { runCommand } from "../command/run.ts";
import { describeDataset, loadDataset } from "../learning/dataset.ts";
import { joinTask } from "./join.ts";
import type { JoinFlags } from "./join.ts";

const program = createProgram("fl-client", "Take part in a Verisum task: train on local data, prove, submit.");

proverOption(
  contentOptions(
    connectionOptions(
      program.command("join").description("join a task and take part in its rounds until it is complete"),
      true,
    ),
  ),
)
  .requiredOption(
    "--data <spec>",
    "local data: digits, a folder or file in IDX (MNIST) format, or a CSV file; it never leaves this machine",
  )
  .option(
    "--relay",
    "let a node of the task send the submission, in a batch with others'; send it from this account only if that takes too long",
  )
  .option("--rounds <n>", "stop after taking part in this many rounds", positiveInteger)
  .action(async (flags: JoinFlags) => {
    const reporter = reporterFor(flags, "client");
    await runCommand(reporter, (signal) => joinTask(flags, reporter, platformRandom, signal));
  });

formatOption(program.command("data").description("show what a data set contains, without a task"))
  .requiredOption("--data <spec>", "as for join")
  .action(async (flags: { readonly data: string; readonly format: "text" | "json" }) => {
    const reporter = reporterFor(flags, "client");
    await runCommand(reporter, async () => {
      const { train, test } = await loadDataset(flags.data);
      const parts = { train: describeDataset(train), test: describeDataset(test) };
      process.stdout.write(`${JSON.stringify(parts, undefined, flags.format === "json" ? 0 : 2)}\n`);
    });
  });

await program.parseAsync();
