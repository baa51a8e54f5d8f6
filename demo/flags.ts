/** What the demo can be asked for. */
import type { Command } from "commander";
import { integerWithin, positiveInteger, positiveNumber } from "../command/options.ts";
import { createProgram } from "../command/program.ts";
import { nodeUrl } from "../command/urls.ts";
import { parseSpecification } from "../task/create-task.ts";
import type { TaskSpecification } from "../task/create-task.ts";
import { VerisumError } from "../protocol/errors.ts";
import { shardSpecification } from "./shards.ts";
import type { Dealing } from "./shards.ts";

/** Seats of the demo's committee; one of them is stopped, unless the run is plain. */
export const MEMBERS = 4;
const DIGITS = "digits";
const DIGITS_ALPHA = 0.5;
/** Each client measures each model; on a large data set the aggregator's figure alone uses all test rows. */
const CLIENT_TEST_SAMPLES = 1000;
/** Hardhat funds twenty accounts: the operator, the members, and these. */
const MAX_CLIENTS = 15;
/** Of whom one cheats and one crashes, or none does. */
const MIN_CLIENTS = 4;
const MIN_PLAIN_CLIENTS = 3;

export interface DemoFlags {
  readonly task: string;
  /** Absent where trainers have their own. */
  readonly data: string | undefined;
  /** A command or a URL for each client's trainer, with `{client}`, counted from 0, and `{clients}`. */
  readonly trainer: string | undefined;
  /** The same for what measures each model. */
  readonly evaluator: string | undefined;
  /** A chain that runs already; one is started where this is absent. */
  readonly rpc: string | undefined;
  /** The first weights. */
  readonly initial: string | undefined;
  readonly clients: number;
  readonly seed: number;
  readonly alpha: number | undefined;
  readonly samples: number | undefined;
  readonly rounds: number | undefined;
  /** No cheat, no crash, no stopped member. */
  readonly plain: boolean;
  /** The last so many clients are ten times slower than the others, and start when it is known what that is. */
  readonly slow: number;
  /** Trains the same model on all data in one place as well. Always on the digits. */
  readonly central: boolean;
  /** Keeps the gateway running at the end. */
  readonly stay: boolean;
  /** Says where the seconds went. */
  readonly timeline: boolean;
}

/** What commander leaves out where it was not given. */
type OptionalFlag =
  "rpc" | "data" | "trainer" | "evaluator" | "initial" | "alpha" | "samples" | "rounds" | "task" | "clients" | "slow";
/** What the command line has, and the flags that follow from it have not. */
type Given = Partial<DemoFlags> & Omit<DemoFlags, OptionalFlag> & { readonly async: boolean };

/** The demo's command line. */
export function demoProgram(): Command {
  return createProgram("demo", "a whole task on this machine: a chain, a committee, clients, rounds, and the audit")
    .option("--task <file>", "the task's specification; tasks/digits.json unless told")
    .option(
      "--async",
      "rounds that do not wait: tasks/digits-buffer.json with six clients, two of them ten times slower",
      false,
    )
    .option(
      "--slow <n>",
      "clients that are ten times slower than the others, the last ones",
      integerWithin(0, MAX_CLIENTS),
    )
    .option("--data <spec>", "as for the client, without a shard; digits unless a trainer has its own")
    .option(
      "--trainer <line>",
      "as for the client, with {client}, from 0, and {clients}; nobody cheats or crashes then",
    )
    .option("--evaluator <line>", "as for the client, with {client} and {clients}")
    .option("--initial <file>", "as for create-task: a safetensors file with the first weights")
    .option("--rpc <url>", "a chain that runs already and funds Hardhat's development accounts, as anvil does", nodeUrl)
    .option(
      "--clients <n>",
      `clients, at most ${MAX_CLIENTS}; five unless told`,
      integerWithin(MIN_PLAIN_CLIENTS, MAX_CLIENTS),
    )
    .option("--samples <n>", "at most so many rows for each client", positiveInteger)
    .option("--alpha <a>", "label skew; 0.5 on the digits, else none", positiveNumber)
    .option("--seed <n>", "of the partition", integerWithin(0, Number.MAX_SAFE_INTEGER), 7)
    .option("--rounds <n>", "rounds, in place of the task's", integerWithin(1, 1000))
    .option("--plain", "no cheat, no crash, no stopped member", false)
    .option("--central", "train the same model on all data in one place as well; always on the digits", false)
    .option("--stay", "keep chain and gateway at the end", false)
    .option("--timeline", "say where the seconds went", false);
}

/** What was asked for. @throws USAGE if two options contradict one another */
export function flagsFrom(program: Command): DemoFlags {
  const { async: isAsync, ...flags } = program.opts<Given>();
  const [clients, slow] = [flags.clients ?? (isAsync ? 6 : 5), flags.slow ?? (isAsync ? 2 : 0)];
  const data = flags.data ?? (flags.trainer === undefined ? DIGITS : undefined);
  const isDigits = data === DIGITS;
  const plain = flags.plain || isAsync || slow > 0 || flags.trainer !== undefined;
  if (flags.central && data === undefined)
    throw new VerisumError("USAGE", "--central trains the same model on --data, and none is given");
  const fewest = plain ? MIN_PLAIN_CLIENTS : MIN_CLIENTS;
  if (slow > 0 && data === undefined)
    throw new VerisumError("USAGE", "--slow slows the built-in training down, which needs --data");
  if (slow >= clients) throw new VerisumError("USAGE", `of ${clients} clients one has to be fast`);
  if (clients < fewest)
    throw new VerisumError(
      "USAGE",
      `the demo's cheat and crash need ${fewest} clients: give more --clients, or --plain`,
    );
  return {
    ...flags,
    task: flags.task ?? (isAsync ? "tasks/digits-buffer.json" : "tasks/digits.json"),
    clients,
    slow,
    data,
    plain,
    trainer: flags.trainer,
    evaluator: flags.evaluator,
    rpc: flags.rpc,
    initial: flags.initial,
    alpha: flags.alpha ?? (isDigits ? DIGITS_ALPHA : undefined),
    samples: flags.samples,
    rounds: flags.rounds,
    central: flags.central || (isDigits && flags.trainer === undefined),
  };
}

export function demoDealing({ clients, seed, alpha, samples, data }: DemoFlags): Dealing {
  return { clients, seed, alpha, samples, testSamples: data === DIGITS ? undefined : CLIENT_TEST_SAMPLES };
}

/** Of one client, counted from 0: what it trains on, or by. */
export function trainingArguments({ data, trainer, evaluator }: DemoFlags, client: number, dealing: Dealing): string[] {
  const given = (option: string, line: string | undefined): string[] =>
    line === undefined
      ? []
      : [option, line.replaceAll("{clients}", String(dealing.clients)).replaceAll("{client}", String(client))];
  return [
    ...(data === undefined ? [] : ["--data", shardSpecification(data, client, dealing)]),
    ...given("--trainer", trainer),
    ...given("--evaluator", evaluator),
  ];
}

/** The task as its file says, with the number of rounds that was asked for. */
export function demoSpecification(json: unknown, { rounds }: DemoFlags): TaskSpecification {
  const specification = parseSpecification(json);
  return rounds === undefined ? specification : { ...specification, maxRounds: rounds };
}

/** The demo's first line. */
export function headline(
  { document, maxRounds, committee }: TaskSpecification,
  { clients }: Dealing,
  data: string | undefined,
): string {
  return `${inWords(clients)} clients, a committee of ${inWords(committee.size)} (threshold ${committee.threshold}, quorum ${committee.quorum}), ${inWords(maxRounds)} ${maxRounds === 1 ? "round" : "rounds"} on ${data === DIGITS ? "handwritten digits" : document.name}`;
}

function inWords(count: number): string {
  return ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"][count] ?? String(count);
}
