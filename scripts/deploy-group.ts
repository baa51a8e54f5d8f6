/** Deploys the contract that lists a task's cells; first of all, since the task's document names it (docs/scale.md). */
import { JsonRpcProvider } from "ethers";
import { deployCellGroup } from "../chain/cell-group.ts";
import { loadWallet } from "../chain/key-file.ts";
import { endpointOptions, integerWithin } from "../command/options.ts";
import { createProgram } from "../command/program.ts";
import { createReporter } from "../command/reporter.ts";
import { runCommand } from "../command/run.ts";
import { buildContracts } from "../operator/build-contracts.ts";

const command = createProgram("deploy-group", "deploy an empty group of cells; prints its address");
await endpointOptions(command)
  .requiredOption("--cells <n>", "contracts that the group will have, at least 2", integerWithin(2, 2 ** 16 - 1))
  .option(
    "--key <file>",
    "the key file of the group's operator, who registers cells; else the environment's VERISUM_KEY",
  )
  .action(async (flags: { readonly cells: number; readonly rpc: string; readonly key?: string }) => {
    const reporter = createReporter("text", "deploy-group", (line) => void process.stderr.write(`${line}\n`), Date.now);
    await runCommand(reporter, async () => {
      const wallet = await loadWallet(flags.key, process.env);
      await buildContracts();
      const provider = new JsonRpcProvider(flags.rpc, undefined, {
        polling: true,
        pollingInterval: 100,
        cacheTimeout: -1,
      });
      const { contract, gasUsed } = await deployCellGroup(wallet.connect(provider), flags.cells, wallet.address);
      provider.destroy();
      reporter.say(
        "good",
        "deployed",
        `a group of ${flags.cells} cells, ${gasUsed} gas; next, npm run create-task -- --group ${contract}`,
      );
      process.stdout.write(`${contract}\n`);
    });
  })
  .parseAsync();
