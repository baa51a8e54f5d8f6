/** Runs a user's command on a folder: its own process group, no shell, ended by stages, its standard error kept. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createWriteStream } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { VerisumError } from "../../protocol/errors.ts";

/** From SIGTERM to SIGKILL. */
const TERMINATION_MS = 1_000;
const MAX_LOG_BYTES = 16 << 20;
const MAX_LINE = 4_096;
/** Lines of standard output that are listened to; the rest is read and dropped. */
const MAX_LINES = 10_000;
/** Environment variables that are this client's own: its key and its endpoint's among them. */
const OWN_VARIABLE = /^VERISUM_/;

export interface CommandRun {
  /** Program and arguments; the folder follows as the last argument. */
  readonly words: readonly [string, ...string[]];
  readonly folder: string;
  /** Gets the command's standard error. */
  readonly log: string;
  readonly signal: AbortSignal;
  /** Called with each JSON object that the command writes as a line to standard output. */
  readonly onLine: (line: Readonly<Record<string, unknown>>) => void;
}

/** How a command ended: its status, or the signal that ended it. */
export type CommandEnd = { readonly status: number } | { readonly killedBy: string };

/**
 * Runs the command to its end. Of its process group nothing is left afterwards.
 * @throws TRAINER_UNAVAILABLE if it cannot be started
 */
export async function runUserCommand({ words, folder, log, signal, onLine }: CommandRun): Promise<CommandEnd> {
  const [program, ...rest] = words;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OWN_VARIABLE.test(name)));
  // Standard input stays open as long as this process lives, and ends with it.
  const child = spawn(program, [...rest, folder], { detached: true, env, stdio: ["pipe", "pipe", "pipe"] });
  const killAll = (): void => killGroup(child, "SIGKILL");
  process.once("exit", killAll);
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    killGroup(child, "SIGTERM");
    timer = setTimeout(killAll, TERMINATION_MS);
  };
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  child.stdin.on("error", () => undefined);
  keepLog(child, log);
  listen(child, onLine);
  try {
    return await new Promise<CommandEnd>((resolve, reject) => {
      child.once("error", (cause) => reject(unavailable(program, cause)));
      child.once("exit", (status, killedBy) => {
        // What it left running would hold its pipes open.
        killAll();
        child.once("close", () => resolve(killedBy === null ? { status: status ?? 1 } : { killedBy }));
      });
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    process.removeListener("exit", killAll);
  }
}

function unavailable(program: string, cause: unknown): VerisumError {
  const { code } = cause as NodeJS.ErrnoException;
  return new VerisumError("TRAINER_UNAVAILABLE", `${program} cannot be started: ${code}`, { program }, { cause });
}

/** Of a group that has ended nothing is left to be killed. */
function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Writes standard error to a file. A disk that takes no more costs the rest of the log, not the round. */
function keepLog(child: ChildProcess, path: string): void {
  const file = createWriteStream(path, { mode: 0o600 });
  let left = MAX_LOG_BYTES;
  file.on("error", () => (left = 0));
  child.stderr?.on("data", (part: Buffer) => {
    if (left > 0) file.write(part.subarray(0, left));
    left -= part.length;
  });
  child.stderr?.once("end", () => file.end());
}

/** Lines that are no JSON object are dropped, as are lines that are too long: of those no more than a line is held. */
function listen(child: ChildProcess, onLine: CommandRun["onLine"]): void {
  let count = 0;
  const hear = (text: string): void => {
    count += 1;
    if (count > MAX_LINES || text.length > MAX_LINE || !text.startsWith("{")) return;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return;
    }
    onLine(value as Readonly<Record<string, unknown>>);
  };
  const decoder = new StringDecoder("utf8");
  let line = "";
  child.stdout!.on("data", (part: Buffer) => {
    const [rest = "", ...begun] = decoder.write(part).split("\n");
    line = (line + rest).slice(0, MAX_LINE + 1);
    for (const next of begun) {
      hear(line);
      line = next.slice(0, MAX_LINE + 1);
    }
  });
  child.stdout!.once("end", () => hear(line));
}
