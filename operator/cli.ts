/** `fl-operator`: start a task and list who takes part. What a command does is loaded when it runs. */
import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import {
  address,
  confirmationsOption,
  endpointOptions,
  integerWithin,
  positiveNumber,
  rpcOption,
} from "../command/options.ts";
import { createProgram } from "../command/program.ts";
import { createReporter } from "../command/reporter.ts";
import { runCommand } from "../command/run.ts";
import { MAX_TOTAL_WEIGHT } from "../protocol/parameters.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { CreateTaskFlags } from "./run-create-task.ts";
import type { DeployFlags, DeployGroupFlags, RegisterFlags } from "./run-deploy.ts";
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
  .option("--group <address>", "the contract that lists the task's cells, from deploy-group", address)
  .option("--keys <folder>", "keys of a ceremony, from fl setup export, in place of development keys")
  .option(
    "--store <directory>",
    "where its content is kept; give the same to fl-aggregator serve",
    ".verisum/aggregator/ipfs",
  )
  .option("--ipfs-api <url>", "keep it in an external Kubo node instead, by its RPC URL")
  .option("--out <file>", "the deployment file", "build/task.json")
  .option("--ignition <file>", "the same as parameters of the Ignition module", "build/ignition-parameters.json")
  .option("--operator <address>", "the operator that an Ignition deployment names", address, FIRST_HARDHAT_ACCOUNT)
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

paymentOptions(
  rosterOptions(
    program
      .command("register")
      .description("list members and clients of a task that is deployed, as its operator")
      .requiredOption("--contract <address>", "the task's contract", address),
  ),
).action(async (flags: RegisterFlags) => {
  const reporter = reporterOf("register");
  await runCommand(reporter, async (signal) => (await import("./run-deploy.ts")).runRegister(flags, reporter, signal));
});

await program.parseAsync();

/** --member, --client, --fund. */
function rosterOptions(command: Command): Command {
  return command
    .option(
      "--member <address>",
      "a committee member, seat by seat; repeat it",
      (text: string, all: readonly Hex[]) => [...all, address(text)],
      [],
    )
    .option(
      "--client <address[:weight]>",
      "a client to list; repeat it",
      (text: string, all: Roster["clients"]) => [...all, client(text)],
      [],
    )
    .option("--fund <ether>", "also send each member and client this much from the operator's account, for gas", ether);
}

/** --rpc, --chain-id, --key, --out, --again: of everything that is paid. */
function paymentOptions(command: Command): Command {
  return endpointOptions(command)
    .option("--key <file>", "the operator's key file; else the environment's VERISUM_KEY")
    .option("--out <directory>", "where the deployment is written down, and what was signed", "deployments")
    .option("--again", "do it once more although it is done, and pay again", false);
}

/** Results go to stdout, everything else to stderr. */
function reporterOf(who: string): Reporter {
  return createReporter("text", who, (line) => void process.stderr.write(`${line}\n`), Date.now);
}

function client(text: string): Roster["clients"][number] {
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
