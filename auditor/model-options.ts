/** `fl pull`, `fl predict`, `fl evaluate` and `fl history`: what anybody can do with a task's models. */
import type { Command } from "commander";
import { Option } from "commander";
import {
  connectionOptions,
  contentOptions,
  formatOption,
  reporterFor,
  taskOptions,
  wholeNumber,
} from "../command/options.ts";
import type { CommonFlags } from "../command/options.ts";
import { runCommand } from "../command/run.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { EvaluateFlags } from "./evaluate.ts";
import type { PredictFlags } from "./predict.ts";
import type { PullFlags } from "./pull.ts";

const DATA = "the examples, as fl-client takes them; columns, scaling and classes are the checkpoint's";

/** Adds the four of them. */
export function addModelCommands(program: Command): void {
  contentOptions(
    taskOptions(
      program.command("pull").description("download a model's checkpoint, verified by its CID, or rebuild it"),
      false,
    ),
  )
    .requiredOption("--out <path>", "the folder to write it into, or a file that ends with .car for a CAR")
    .option(
      "--round <n>",
      "the round that made the model; the latest one if absent, the first model for 0",
      wholeNumber,
    )
    .addOption(
      new Option(
        "--format <format>",
        "all files of the checkpoint, its tensors, a CAR of it, or the model for ONNX or TensorFlow.js",
      )
        .choices(["checkpoint", "safetensors", "car", "onnx", "tfjs"])
        .default("checkpoint"),
    )
    .addOption(
      new Option("--report <format>", "what the command says: text, or one JSON object")
        .choices(["text", "json"])
        .default("text"),
    )
    .action((flags: PullFlags) => run(async (...rest) => (await import("./pull.ts")).pullModel(flags, ...rest)));

  checkpointOptions(program.command("predict").description("answer for each example by a published model"))
    .requiredOption("--data <spec>", DATA)
    .addOption(
      new Option("--part <part>", "of the data's split, which needs labels; every row as it is if absent").choices([
        "all",
        "test",
        "train",
      ]),
    )
    .addOption(
      new Option("--format <format>", "a line, or an object, for each example").choices(["csv", "json"]).default("csv"),
    )
    .option("--out <file>", "where to write it; standard output if absent")
    .action((flags: PredictFlags) => run(async (...rest) => (await import("./predict.ts")).predict(flags, ...rest)));

  formatOption(
    checkpointOptions(
      program
        .command("evaluate")
        .description("measure a published model, by class, and how far its probabilities are true"),
    ),
  )
    .requiredOption("--data <spec>", DATA)
    .addOption(new Option("--part <part>", "which examples").choices(["test", "train"]).default("test"))
    .action((flags: EvaluateFlags) => run(async (...rest) => (await import("./evaluate.ts")).evaluate(flags, ...rest)));

  contentOptions(
    connectionOptions(
      program
        .command("history")
        .description("list a task's models: which came from which, by whom, and what is claimed of them"),
      false,
    ),
  ).action((flags: CommonFlags) => run(async (...rest) => (await import("./history.ts")).showHistory(flags, ...rest)));
}

function checkpointOptions(command: Command): Command {
  return contentOptions(
    taskOptions(
      command
        .option("--checkpoint <path>", "a folder or a CAR file, as fl pull writes them; else --contract names the task")
        .option("--cid <text>", "what the checkpoint has to be"),
      false,
      false,
    ),
  ).option("--round <n>", "of --contract: the round that made the model; the latest one if absent", wholeNumber);
}

async function run(command: (reporter: Reporter, signal: AbortSignal) => Promise<void>): Promise<void> {
  const reporter = reporterFor({ format: "text" }, "fl");
  await runCommand(reporter, async (signal) => command(reporter, signal));
}
