/** Deploys what `create-task` made and registers the committee and the clients. */
import { readFile } from "node:fs/promises";
import { InvalidArgumentError } from "commander";
import { parseEther } from "ethers";
import { loadWallet } from "../chain/key-file.ts";
import { address, endpointOptions, integerWithin } from "../command/options.ts";
import { createProgram } from "../command/program.ts";
import { createReporter } from "../command/reporter.ts";
import { runCommand } from "../command/run.ts";
import { writeDurably } from "../storage/durable-file.ts";
import { MAX_TOTAL_WEIGHT } from "../protocol/parameters.ts";
import type { Hex } from "../protocol/transcript.ts";
import { buildContracts } from "../operator/build-contracts.ts";
import { deployPreparedTask } from "../operator/deploy-task.ts";
import type { Roster } from "../operator/deploy-task.ts";
import { parsePreparedTask } from "../operator/prepare-task.ts";

interface Flags {
  readonly deployment: string;
  readonly rpc: string;
  readonly key?: string;
  readonly groupKey?: string;
  readonly member: readonly Hex[];
  readonly client: readonly Roster["clients"][number][];
  readonly fund?: bigint;
  readonly out: string;
}

const command = createProgram("deploy", "deploy a prepared task; prints the contract's address");
await endpointOptions(command)
  .option("--deployment <file>", "what create-task wrote", "build/task.json")
  .option("--key <file>", "the operator's key file; else the environment's VERISUM_KEY")
  .option("--group-key <file>", "the key file of the operator of the task's group of cells, if it is somebody else")
  .option(
    "--member <address>",
    "a committee member, seat by seat; repeat it",
    (text: string, all: readonly Hex[]) => [...all, address(text)],
    [],
  )
  .option(
    "--client <address[:weight]>",
    "a client to list; repeat it",
    (text: string, all: Flags["client"]) => [...all, client(text)],
    [],
  )
  .option("--fund <ether>", "also send each member and client this much from the operator's account, for gas", ether)
  .option(
    "--out <directory>",
    "where <chain id>.json is written, or <chain id>-<contract>.json for a cell",
    "deployments",
  )
  .action(async (flags: Flags) => {
    const reporter = createReporter("text", "deploy", (line) => void process.stderr.write(`${line}\n`), Date.now);
    await runCommand(reporter, async () => {
      const prepared = parsePreparedTask(await readFile(flags.deployment, "utf8"));
      const wallet = await loadWallet(flags.key, process.env);
      const roster = {
        members: flags.member,
        clients: flags.client,
        ...(flags.fund === undefined ? {} : { fundWei: flags.fund }),
      };
      const groupWallet = flags.groupKey === undefined ? wallet : await loadWallet(flags.groupKey, process.env);
      await buildContracts();
      const { contract, chainId, blockNumber } = await deployPreparedTask(
        flags.rpc,
        wallet,
        prepared,
        roster,
        (step) => reporter.say("info", "step", step),
        groupWallet,
      );
      const name = prepared.group === undefined ? chainId : `${chainId}-${contract}`;
      await writeDurably(
        `${flags.out}/${name}.json`,
        `${JSON.stringify({ contract, blockNumber, keysHash: prepared.parameters.keysHash }, undefined, 2)}\n`,
      );
      process.stdout.write(`${contract}\n`);
    });
  })
  .parseAsync();

function client(text: string): { account: Hex; weight: number } {
  const [account = "", weight = "1", ...rest] = text.split(":");
  if (rest.length > 0) throw new InvalidArgumentError("an address, and a weight behind a colon");
  return { account: address(account), weight: integerWithin(1, MAX_TOTAL_WEIGHT)(weight) };
}

function ether(text: string): bigint {
  if (!/^[0-9]{1,9}(\.[0-9]{1,18})?$/.test(text)) throw new InvalidArgumentError("an amount of ether, such as 0.05");
  return parseEther(text);
}
