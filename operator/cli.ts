/** `fl-operator`: start a task and list who takes part. What a command does is loaded when it runs. */
import type { Command } from "commander";
import { address, confirmationsOption, integerWithin, positiveNumber, rpcOption } from "../command/options.ts";
import { repeatable } from "../command/repeatable.ts";
import { createProgram } from "../command/program.ts";
import { runCommand } from "../command/run.ts";
import { nodeUrl } from "../command/urls.ts";
import type { Hex } from "../protocol/transcript.ts";
import { addListCommands } from "./list-options.ts";
import { client, fundOption, paymentOptions, reporterOf } from "./options.ts";
import type { CreateTaskFlags } from "./run-create-task.ts";
import type { DeployFlags, DeployGroupFlags } from "./run-deploy.ts";
import type { Roster } from "./roster.ts";

/** Hardhat's public development account. */
const FIRST_HARDHAT_ACCOUNT = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
/** Places of a group, which the contract counts in 16 bits. */
const MOST_CELLS = 2 ** 16 - 1;

const program = createProgram("fl-operator", "Start a Verisum task: make it, deploy it, list who takes part.");

program
  .command("create-task")
  .description("make a task's keys, document and genesis, and the parameters to deploy")
  .requiredOption("--task <file>", "the task's specification", "tasks/digits.json")
  .option("--initial <file>", "a safetensors file with the model's first weights, by the tensors' names")
  .option("--group <address>", "the contract that lists the task's cells, from deploy-group", address)
  .option("--keys <folder>", "keys of a ceremony, from fl setup export, in place of development keys")
  .option(
    "--store <directory>",
    "where its content is kept; give the same to fl-aggregator serve",
    ".verisum/aggregator/ipfs",
  )
  .option("--ipfs-api <url>", "keep it in an external Kubo node instead, by its RPC URL", nodeUrl)
  .option("--out <file>", "the deployment file", "build/task.json")
  .option("--ignition <file>", "the same as parameters of the Ignition module", "build/ignition-parameters.json")
  .option("--operator <address>", "the operator that an Ignition deployment names", address, FIRST_HARDHAT_ACCOUNT)
  .option(
    "--statistics <file>",
    "scale the document's number and date columns by these statistics, which fl statistics wrote",
  )
  .option("--epsilon <e>", "choose the noise so that all rounds stay within this epsilon", positiveNumber)
  .option("--delta <d>", "the task's delta, instead of the specification's", positiveNumber)
  .addOption(
    rpcOption("the chain that the task is for: its blocks and its finality are measured (default: Ethereum's)"),
  )
  .addOption(confirmationsOption())
  .option(
    "--schema-from <data>",
    "print a proposal for the document's data section, from a table whose label is named, and end",
  )
  .action(async ({ schemaFrom, ...flags }: CreateTaskFlags & { readonly schemaFrom?: string }) => {
    const reporter = reporterOf("create-task");
    await runCommand(reporter, async () => {
      if (schemaFrom === undefined) return (await import("./run-create-task.ts")).runCreateTask(flags, reporter);
      const { runProposeSchema } = await import("./run-propose-schema.ts");
      await runProposeSchema(schemaFrom, reporter, (text) => void process.stdout.write(text));
    });
  });

paymentOptions(
  rosterOptions(
    program.command("deploy").description("check and deploy a prepared task; prints the contract's address alone"),
  ).option("--deployment <file>", "what create-task wrote", "build/task.json"),
)
  .option("--group-key <file>", "the key file of the operator of the task's group of cells, if it is somebody else")
  .addOption(confirmationsOption())
  .option("--accept-short-windows", "deploy although the task's windows are too short for this chain", false)
  .action(async (flags: DeployFlags) => {
    const reporter = reporterOf("deploy");
    await runCommand(reporter, async (signal) => (await import("./run-deploy.ts")).runDeploy(flags, reporter, signal));
  });

paymentOptions(
  program
    .command("deploy-group")
    .description("deploy an empty group of cells; prints its address alone")
    .requiredOption("--cells <n>", "contracts that the group will have, at least 2", integerWithin(2, MOST_CELLS)),
).action(async (flags: DeployGroupFlags) => {
  const reporter = reporterOf("deploy-group");
  await runCommand(reporter, async (signal) =>
    (await import("./run-deploy.ts")).runDeployGroup(flags, reporter, signal),
  );
});

addListCommands(program);

await program.parseAsync();

/** --member, --client, --fund. */
function rosterOptions(command: Command): Command {
  return fundOption(
    command
      .option(
        "--member <address>",
        "a committee member, seat by seat; repeat it",
        repeatable((text: string, all: readonly Hex[]) => [...all, address(text)]),
        [],
      )
      .option(
        "--client <address[:weight]>",
        "a client to list; repeat it",
        repeatable((text: string, all: Roster["clients"]) => [...all, client(text)]),
        [],
      ),
  );
}
