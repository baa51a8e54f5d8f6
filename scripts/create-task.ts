/** Makes a task ready to deploy: keys, document and genesis into a content store, parameters into a file. */
import { randomFillSync } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { runCommand } from "../adapters/cli/run.ts";
import { createReporter } from "../adapters/cli/reporter.ts";
import { writeDurably } from "../adapters/storage/durable-file.ts";
import { prepareTask } from "./task/prepare-task.ts";

const random = (length: number): Uint8Array => randomFillSync(new Uint8Array(length));

await new Command("create-task")
  .description("make a task's keys, document and genesis, and the parameters to deploy")
  .requiredOption("--task <file>", "the task's specification", "tasks/digits.json")
  .option("--store <directory>", "where its content is kept; give the same to fl-aggregator serve", ".verisum/aggregator/ipfs")
  .option("--out <file>", "the deployment file", "build/task.json")
  .action(async (flags: { readonly task: string; readonly store: string; readonly out: string }) => {
    const reporter = createReporter("text", "create-task", (line) => void process.stderr.write(`${line}\n`), Date.now);
    await runCommand(reporter, async () => {
      const deployment = await prepareTask(JSON.parse(await readFile(flags.task, "utf8")), flags.store, random, (step) => reporter.say("info", "step", step));
      await writeDurably(flags.out, `${JSON.stringify(deployment, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value), 2)}\n`);
      reporter.say("good", "created", `${flags.out}: next, npm run deploy -- --deployment ${flags.out}`);
    });
  })
  .parseAsync();
