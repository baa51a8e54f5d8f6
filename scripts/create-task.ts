/** Makes a task ready to deploy: keys, document and genesis into a content store, parameters into a file. */
import { platformRandom as random } from "../command/platform-random.ts";
import { address, positiveNumber } from "../command/options.ts";
import { runCommand } from "../command/run.ts";
import { encodeParameters } from "../chain/codec.ts";
import { createProgram } from "../command/program.ts";
import { createReporter } from "../command/reporter.ts";
import { writeDurably } from "../storage/durable-file.ts";
import { prepareTask } from "../operator/prepare-task.ts";
import { readSpecification } from "../operator/read-specification.ts";

/** Hardhat's public development account. */
const FIRST_HARDHAT_ACCOUNT = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

/** Indented JSON; bigints as decimal text. */
function jsonOf(value: unknown): string {
  return `${JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? item.toString() : item), 2)}\n`;
}

interface Flags {
  readonly task: string;
  readonly group?: string;
  readonly keys?: string;
  readonly store: string;
  readonly out: string;
  readonly ignition: string;
  readonly operator: string;
  readonly epsilon?: number;
  readonly delta?: number;
}

/** The specification with the group's address in its document. */
function inGroup(specification: unknown, group: string | undefined): unknown {
  if (group === undefined) return specification;
  const { document, ...rest } = specification as { document: object };
  return { ...rest, document: { ...document, cells: { group: group } } };
}

await createProgram("create-task", "make a task's keys, document and genesis, and the parameters to deploy")
  .requiredOption("--task <file>", "the task's specification", "tasks/digits.json")
  .option("--group <address>", "the contract that lists the task's cells, from deploy-group", address)
  .option("--keys <folder>", "keys of a ceremony, from fl setup export, in place of development keys")
  .option(
    "--store <directory>",
    "where its content is kept; give the same to fl-aggregator serve",
    ".verisum/aggregator/ipfs",
  )
  .option("--out <file>", "the deployment file", "build/task.json")
  .option("--ignition <file>", "the same as parameters of the Ignition module", "build/ignition-parameters.json")
  .option("--operator <address>", "the operator that an Ignition deployment names", address, FIRST_HARDHAT_ACCOUNT)
  .option("--epsilon <e>", "choose the noise so that all rounds stay within this epsilon", positiveNumber)
  .option("--delta <d>", "the task's delta, instead of the specification's", positiveNumber)
  .action(async (flags: Flags) => {
    const reporter = createReporter("text", "create-task", (line) => void process.stderr.write(`${line}\n`), Date.now);
    await runCommand(reporter, async () => {
      const target = {
        ...(flags.epsilon === undefined ? {} : { epsilon: flags.epsilon }),
        ...(flags.delta === undefined ? {} : { delta: flags.delta }),
        ...(flags.keys === undefined ? {} : { keys: flags.keys }),
      };
      const description = inGroup(await readSpecification(flags.task), flags.group);
      const deployment = await prepareTask(
        description,
        flags.store,
        random,
        (step) => reporter.say("info", "step", step),
        target,
      );
      await writeDurably(flags.out, jsonOf(deployment));
      await writeDurably(
        flags.ignition,
        jsonOf({
          Verisum: {
            task: encodeParameters(deployment.parameters),
            keysBlob: deployment.keys,
            operator: flags.operator,
          },
        }),
      );
      reporter.say("good", "created", `${flags.out}: next, npm run deploy -- --deployment ${flags.out}`);
    });
  })
  .parseAsync();
