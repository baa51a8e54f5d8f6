/** A trainer that is a program of somebody else, started once in each round: `--trainer "python train.py"`. */
import { constants } from "node:fs";
import { mkdtemp, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ensure, VerisumError } from "../../protocol/errors.ts";
import type { Reporter } from "../../protocol/reporter.ts";
import { writeDurably } from "../../storage/durable-file.ts";
import type { RoundEvaluator, RoundTrainer, TrainingRound } from "../round-trainer.ts";
import { runUserCommand } from "./command.ts";
import type { CommandEnd } from "./command.ts";
import { metricWords } from "./metric-words.ts";
import { baseFile, mostUpdateBytes, numbersIn, parseUpdate, roundConfig } from "./round-files.ts";
import type { ProgramRole } from "./round-files.ts";
import { makeFolder } from "../../storage/folder.ts";

const DONE = 0;
const SIT_OUT = 10;
/** Rounds before the present one whose logs stay. */
const KEPT_LOGS = 8n;
const UPDATE_FILE = "update.safetensors";

export interface ProcessOptions {
  readonly words: readonly [string, ...string[]];
  /** Below it lie the rounds' folders, each removed after its round, and the logs of the last rounds. */
  readonly directory: string;
  readonly reporter: Reporter;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A command's round while its folder is still there. */
interface EndedCommand {
  readonly end: CommandEnd;
  readonly folder: string;
  readonly log: string;
  /** The numbers that it wrote, the last of each name. */
  readonly metrics: Readonly<Record<string, number>>;
}

/**
 * @returns a trainer that throws TRAINER_UNAVAILABLE, TRAINER_FAILED, TRAINER_UPDATE_INVALID, STORAGE_FULL,
 * STORAGE_FAILED
 */
export function processTrainer(options: ProcessOptions): RoundTrainer {
  return {
    train: (round) =>
      inFolder(options, round, "trainer", async ({ end, folder, log, metrics }) => {
        if ("status" in end && end.status === SIT_OUT && !round.signal.aborted) return { kind: "sit-out" };
        requireDone("trainer", end, round, log);
        const bytes = await readGiven(join(folder, UPDATE_FILE), mostUpdateBytes(round));
        return { ...parseUpdate(bytes, round), metrics };
      }),
  };
}

/** @returns an evaluator that throws TRAINER_UNAVAILABLE, TRAINER_FAILED, STORAGE_FULL, STORAGE_FAILED */
export function processEvaluator(options: ProcessOptions): RoundEvaluator {
  return {
    evaluate: (round) =>
      inFolder(options, round, "evaluator", async ({ end, log, metrics }) => {
        requireDone("evaluator", end, round, log);
        return metrics;
      }),
  };
}

/** Runs the command in a new folder with the round's files, and removes it once its result is used. */
async function inFolder<T>(
  { words, directory, reporter, now }: ProcessOptions,
  round: TrainingRound,
  role: ProgramRole,
  use: (ended: EndedCommand) => Promise<T>,
): Promise<T> {
  const rounds = join(directory, "rounds");
  // What a crash left of an earlier round is of no use to anybody.
  await rm(rounds, { recursive: true, force: true });
  await makeFolder(rounds);
  await removeOldLogs(directory, round.round);
  const folder = await mkdtemp(join(rounds, `round-${round.round}-`));
  const log = join(directory, `round-${round.round}.log`);
  try {
    const config = roundConfig(round, now(), role);
    await writeDurably(join(folder, "base.safetensors"), baseFile(round));
    await writeDurably(join(folder, "config.json"), `${JSON.stringify(config, undefined, 2)}\n`);
    const metrics: Record<string, number> = {};
    const onLine = (line: Readonly<Record<string, unknown>>): void => {
      const numbers = numbersIn(line);
      Object.assign(metrics, numbers);
      const words = metricWords(numbers).join(", ");
      reporter.wait(`round ${round.round}: the ${role} says ${words}`, { round: round.round });
    };
    const end = await runUserCommand({ words, folder, log, signal: round.signal, onLine });
    return await use({ end, folder, log, metrics });
  } finally {
    await rm(rounds, { recursive: true, force: true });
  }
}

/** Those of the last rounds stay, for whoever looks into a failure. */
async function removeOldLogs(directory: string, round: bigint): Promise<void> {
  for (const name of await readdir(directory)) {
    const number = /^round-([0-9]{1,19})\.log$/.exec(name)?.[1];
    if (number !== undefined && BigInt(number) < round - KEPT_LOGS) await rm(join(directory, name), { force: true });
  }
}

/** @throws TRAINER_FAILED */
function requireDone(role: ProgramRole, end: CommandEnd, round: TrainingRound, log: string): void {
  if ("status" in end && end.status === DONE && !round.signal.aborted) return;
  const how = "killedBy" in end ? `was ended by ${end.killedBy}` : `ended with status ${end.status}`;
  const reason = round.signal.aborted ? `did not end by the deadline and ${how}` : how;
  throw new VerisumError("TRAINER_FAILED", `the ${role} ${reason}; what it said is in ${log}`, { log });
}

/**
 * A file that somebody else's program wrote: an ordinary one, no link, no longer than it can be.
 * @throws TRAINER_UPDATE_INVALID
 */
async function readGiven(path: string, mostBytes: number): Promise<Uint8Array> {
  const refuse = (why: string, cause?: unknown): VerisumError =>
    new VerisumError("TRAINER_UPDATE_INVALID", `${UPDATE_FILE} ${why}`, {}, { cause });
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") throw refuse("is missing", error);
      if (error.code === "ELOOP") throw refuse("is a symbolic link", error);
      throw refuse(`cannot be read: ${error.code}`, error);
    },
  );
  try {
    const stat = await file.stat();
    ensure(stat.isFile(), "TRAINER_UPDATE_INVALID", `${UPDATE_FILE} is no ordinary file`);
    ensure(
      stat.size <= mostBytes,
      "TRAINER_UPDATE_INVALID",
      `${UPDATE_FILE} has ${stat.size} bytes, at most ${mostBytes} are allowed`,
    );
    return await file.readFile();
  } finally {
    await file.close();
  }
}
