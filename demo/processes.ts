/** The demo's processes: each role is the real command, its JSON lines are the demo's only view of it. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** One line of a role's `--format json` output. */
export interface RoleEvent {
  readonly role: string;
  /** When the role said it, in milliseconds since the epoch. */
  readonly time: number;
  readonly event: string;
  readonly level: string;
  readonly text: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface Role {
  readonly name: string;
  readonly process: ChildProcess;
  /** Ends with the exit status, or undefined after a signal. */
  readonly ended: Promise<number | undefined>;
  /** Ends when the role is ready to take part. @throws Error (from the promise) if it ends before */
  readonly ready: Promise<void>;
}

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Everything that is running, so that it can be stopped whatever happens. */
export class Processes {
  readonly #running = new Set<ChildProcess>();
  #stopped = false;

  /**
   * Starts a script of this project under the same Node; its stdout is JSON lines, stderr goes to `onNoise`. Nothing is
   * heard of it once everything is stopped.
   * @throws Error once everything is stopped
   */
  start(
    name: string,
    script: string,
    args: readonly string[],
    options: {
      readonly key?: string;
      /** Added to this process's environment. */
      readonly env?: Readonly<Record<string, string>>;
      readonly logFile: string;
      readonly onEvent: (event: RoleEvent) => void;
      readonly onNoise: (line: string) => void;
    },
  ): Role {
    if (this.#stopped) throw new Error(`${name} does not start: everything is stopped`);
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", script, ...args], {
      cwd: ROOT,
      env: { ...process.env, ...options.env, ...(options.key === undefined ? {} : { VERISUM_KEY: options.key }) },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#running.add(child);
    const log = createWriteStream(options.logFile, { flags: "a" });
    log.on("error", (error) => options.onNoise(`no log is written: ${error.message}`));
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    let isReady = (): void => undefined;
    const saidReady = new Promise<void>((resolve) => (isReady = resolve));
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (this.#stopped) return;
      const event = parseEvent(name, line);
      if (event === undefined) return options.onNoise(line);
      if (event.event === "ready") isReady();
      options.onEvent(event);
    });
    createInterface({ input: child.stderr }).on("line", options.onNoise);
    const ended = new Promise<number | undefined>((resolve) => {
      child.once("exit", (code) => {
        this.#running.delete(child);
        resolve(code ?? undefined);
      });
    });
    const endedFirst = ended.then((status) => {
      throw new Error(`${name} ended with status ${String(status)}`);
    });
    const ready = Promise.race([saidReady, endedFirst]);
    // Not everybody waits for it.
    ready.catch(() => undefined);
    return { name, process: child, ended, ready };
  }

  /** Takes over a process that was started elsewhere; ends it if everything is stopped. */
  adopt(child: ChildProcess): void {
    if (this.#stopped) child.kill("SIGKILL");
    this.#running.add(child);
    child.once("exit", () => this.#running.delete(child));
  }

  /** Ends with the last process. From now on nothing starts. */
  async stopAll(): Promise<void> {
    this.#stopped = true;
    const ended = [...this.#running].map((child) => new Promise((resolve) => child.once("exit", resolve)));
    for (const child of this.#running) child.kill("SIGKILL");
    await Promise.all(ended);
  }
}

function parseEvent(role: string, line: string): RoleEvent | undefined {
  try {
    const { event, level, text, time, who: _who, ...facts } = JSON.parse(line) as Record<string, unknown>;
    if (typeof event !== "string" || typeof text !== "string") return undefined;
    return { role, time: Date.parse(String(time)), event, level: String(level), text, facts };
  } catch {
    return undefined;
  }
}
