/** What `fl-operator create-task` does. */
import { access, constants } from "node:fs/promises";
import { dirname } from "node:path";
import { encodeParameters } from "../chain/codec.ts";
import { platformRandom as random } from "../command/platform-random.ts";
import { userRecords } from "../command/user-records.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { TaskWarning } from "../task/warnings.ts";
import { writeDurably } from "../storage/durable-file.ts";
import { timingFor, windowWarnings } from "./check-windows.ts";
import { prepareTask } from "./prepare-task.ts";
import { readSpecification } from "./read-specification.ts";
import { scaledBy } from "./scale-by-statistics.ts";
import { makeFolder, PUBLIC_FOLDER } from "../storage/folder.ts";

export interface CreateTaskFlags {
  readonly task: string;
  readonly initial?: string;
  readonly statistics?: string;
  readonly group?: Hex;
  readonly keys?: string;
  readonly store: string;
  readonly ipfsApi?: string;
  readonly out: string;
  readonly ignition: string;
  readonly operator: string;
  readonly epsilon?: number;
  readonly delta?: number;
  readonly rpc?: readonly string[];
  readonly confirmations?: number;
}

/** Makes a task ready to deploy: keys, document and genesis into a content store, parameters into a file. */
export async function runCreateTask(flags: CreateTaskFlags, reporter: Reporter): Promise<void> {
  const target = {
    ...(flags.epsilon === undefined ? {} : { epsilon: flags.epsilon }),
    ...(flags.delta === undefined ? {} : { delta: flags.delta }),
    ...(flags.initial === undefined ? {} : { initial: flags.initial }),
    ...(flags.keys === undefined ? {} : { keys: flags.keys }),
    ...(flags.ipfsApi === undefined ? {} : { ipfsApi: flags.ipfsApi }),
  };
  const written = inGroup(await readSpecification(flags.task), flags.group);
  const description = flags.statistics === undefined ? written : await scaledBy(flags.statistics, written, reporter);
  for (const file of [flags.out, flags.ignition]) await requireWritable(dirname(file));
  const { rpc, confirmations } = flags;
  const timing = await timingFor(rpc === undefined ? undefined : { rpc, confirmations });
  const onStep = (step: string): void => reporter.say("info", "step", step);
  const onWarning = ({ event, text }: TaskWarning): void => reporter.say("warn", event, text);
  const { keysSay: _, ...deployment } = await prepareTask(description, flags.store, random, onStep, {
    ...target,
    onWarning,
    records: userRecords(),
  });
  windowWarnings(deployment.parameters, timing, onStep).forEach(onWarning);
  await writeDurably(flags.out, jsonOf(deployment));
  const { parameters, keys: keysBlob } = deployment;
  const ignition = { task: encodeParameters(parameters), keysBlob, operator: flags.operator };
  await writeDurably(flags.ignition, jsonOf({ Verisum: ignition }));
  reporter.say("good", "created", `${flags.out}: next, npm run deploy -- --deployment ${flags.out}`);
}

/** Makes a folder, before what it is for takes time or money. @throws STORAGE_FAILED, by the edge of the command */
export async function requireWritable(directory: string): Promise<void> {
  await makeFolder(directory, PUBLIC_FOLDER);
  await access(directory, constants.W_OK);
}

/** Indented JSON; bigints as decimal text. */
function jsonOf(value: unknown): string {
  return `${JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? item.toString() : item), 2)}\n`;
}

/** The specification with the group's address in its document. */
function inGroup(specification: unknown, group: Hex | undefined): unknown {
  if (group === undefined) return specification;
  const { document, ...rest } = specification as { document: object };
  return { ...rest, document: { ...document, cells: { group } } };
}
