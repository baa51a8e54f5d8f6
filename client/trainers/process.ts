/** A trainer that is a program of somebody else, started once in each round: `--trainer "python train.py"`. */
import { constants } from "node:fs";
import { mkdir, mkdtemp, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { ensure, VerisumError } from "../../protocol/errors.ts";
import type { Reporter } from "../../protocol/reporter.ts";
import { writeDurably } from "../../storage/durable-file.ts";
import type { RoundTrainer, TrainingResult, TrainingRound } from "../round-trainer.ts";
import { runUserCommand } from "./command.ts";
import type { CommandEnd } from "./command.ts";
import { baseFile, mostUpdateBytes, parseUpdate, roundConfig } from "./round-files.ts";

const DONE = 0;
const SIT_OUT = 10;
const UPDATE_FILE = "update.safetensors";

export interface ProcessTrainerOptions {
  readonly words: readonly [string, ...string[]];
  /** Below it lie the rounds' folders, each removed after its round, and the rounds' logs. */
  readonly directory: string;
  readonly reporter: Reporter;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * @returns a trainer that throws TRAINER_UNAVAILABLE, TRAINER_FAILED, TRAINER_UPDATE_INVALID, STORAGE_FULL,
 * STORAGE_FAILED
 */
export function processTrainer({ words, directory, reporter, now }: ProcessTrainerOptions): RoundTrainer {
  const rounds = join(directory, "rounds");
  return {
    train: async (round) => {
      // What a crash left of an earlier round is of no use to anybody.
      await rm(rounds, { recursive: true, force: true });
      await mkdir(rounds, { recursive: true, mode: 0o700 });
      const folder = await mkdtemp(join(rounds, `round-${round.round}-`));
      const log = join(directory, `round-${round.round}.log`);
      try {
        await writeDurably(join(folder, "base.safetensors"), baseFile(round));
        await writeDurably(join(folder, "config.json"), `${JSON.stringify(roundConfig(round, now()), undefined, 2)}\n`);
        const metrics: Record<string, number> = {};
        const onLine = (line: Readonly<Record<string, unknown>>): void => {
          const numbers = numbersIn(line);
          Object.assign(metrics, numbers);
          const words = Object.entries(numbers).map(([name, value]) => `${name} ${value}`);
          reporter.wait(`round ${round.round}: the trainer says ${words.join(", ")}`, { round: round.round });
        };
        const end = await runUserCommand({ words, folder, log, signal: round.signal, onLine });
        return await resultOf(end, round, join(folder, UPDATE_FILE), log, metrics);
      } finally {
        await rm(rounds, { recursive: true, force: true });
      }
    },
  };
}

async function resultOf(
  end: CommandEnd,
  round: TrainingRound,
  file: string,
  log: string,
  metrics: Readonly<Record<string, number>>,
): Promise<TrainingResult> {
  const how = "killedBy" in end ? `was ended by ${end.killedBy}` : `ended with status ${end.status}`;
  const reason = round.signal.aborted ? `did not end by the deadline and ${how}` : how;
  if (!("killedBy" in end) && !round.signal.aborted) {
    if (end.status === SIT_OUT) return { kind: "sit-out" };
    if (end.status === DONE) return { ...parseUpdate(await readGiven(file, mostUpdateBytes(round)), round), metrics };
  }
  throw new VerisumError("TRAINER_FAILED", `the trainer ${reason}; what it said is in ${log}`, { log });
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

/** The finite numbers of a line, by name. */
function numbersIn(line: Readonly<Record<string, unknown>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(line).filter((pair): pair is [string, number] => Number.isFinite(pair[1]) && pair[0].length <= 64),
  );
}
