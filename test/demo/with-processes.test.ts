/** Scripts over many processes leave none behind, however they end. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, it } from "mocha";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** The chain's compiler service sees the end of the chain by its closed stdin, and ends a moment later. */
const GRACE_MS = 5_000;

interface Ending {
  readonly status: number | null;
  readonly lines: readonly string[];
  /** How many processes were under the script's when it was ready. */
  readonly started: number;
  /** Those of them that outlived it. */
  readonly left: readonly number[];
  /** Folders that it left. */
  readonly folders: readonly string[];
}

describe("a script over processes", function () {
  this.timeout(180_000);
  let directory: string;
  let role: string;
  let script: ChildProcess | undefined;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "verisum-with-processes-"));
    role = join(directory, "role.mjs");
    await writeFile(role, "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);");
  });
  afterEach(async () => {
    if (script?.exitCode === null) {
      script.kill("SIGTERM");
      await once(script, "exit");
    }
    await rm(directory, { recursive: true, force: true });
  });

  /** Runs a script until it writes a line like `ready`, sends the signals, and waits for its end. */
  const runUntil = async (
    args: readonly string[],
    ready: RegExp,
    signals: readonly NodeJS.Signals[],
  ): Promise<Ending> => {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
      cwd: ROOT,
      env: { ...process.env, TMPDIR: directory },
      stdio: ["ignore", "pipe", "inherit"],
    });
    script = child;
    const closed = once(child, "close") as Promise<[number | null]>;
    const lines: string[] = [];
    let started: readonly number[] = [];
    createInterface({ input: child.stdout }).on("line", (line) => {
      lines.push(line);
      if (started.length > 0 || !ready.test(line)) return;
      started = descendantsOf(child.pid!);
      for (const signal of signals) child.kill(signal);
    });
    const [status] = await closed;
    const folders = (await readdir(directory)).filter((name) => /^verisum-(idle|demo)-/.test(name));
    return { status, lines, started: started.length, left: await thoseLeft(started), folders };
  };
  const idle = (ending: string, ...signals: NodeJS.Signals[]): Promise<Ending> =>
    runUntil(["test/support/idle-processes.ts", ending, role], /^ready$/, signals);

  for (const [signal, expected] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    it(`that gets ${signal} stops what it started, removes its folder and exits with ${expected}`, async () => {
      const { status, started, left, folders } = await idle("waits", signal);
      assert.equal(status, expected);
      assert.ok(started >= 2, "a role and an adopted process");
      assert.deepEqual([left, folders], [[], []]);
    });
  }

  it("that gets a signal twice still stops everything", async () => {
    const { status, left, folders } = await idle("waits", "SIGINT", "SIGINT");
    assert.equal(status, 130);
    assert.deepEqual([left, folders], [[], []]);
  });

  it("whose end is an interruption exits with its verdict", async () => {
    const { status, left, folders } = await idle("stays", "SIGINT");
    assert.equal(status, 0);
    assert.deepEqual([left, folders], [[], []]);
  });

  for (const [ending, expected, kept] of [
    ["succeeds", 0, 0],
    ["fails", 1, 1],
    ["throws", 5, 1],
  ] as const) {
    it(`that ${ending} stops what it started, exits with ${expected} and ${kept === 0 ? "removes its folder" : "says where its logs are"}`, async () => {
      const { status, lines, left, folders } = await idle(ending);
      assert.equal(status, expected);
      assert.deepEqual(left, []);
      assert.equal(folders.length, kept);
      for (const folder of folders) assert.ok(lines.some((line) => line.includes(join(directory, folder))));
    });
  }

  it("such as the demo, in the middle of a round, stops its chain and every role at SIGTERM", async () => {
    const { status, started, left, folders } = await runUntil(
      ["demo/demo.ts", "--plain", "--clients", "3", "--rounds", "1"],
      /round 1/,
      ["SIGTERM"],
    );
    assert.equal(status, 143);
    assert.ok(started >= 1 + 1 + 4 + 3, "a chain, an aggregator, four members, three clients");
    assert.deepEqual([left, folders], [[], []]);
  });
});

/** Process ids under this one, by the system's table. */
function descendantsOf(root: number): number[] {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid=,stat=,comm="], { encoding: "utf8" });
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , command]) => command !== "ps");
  const children = (parent: number): number[] =>
    rows.filter(([, ppid]) => Number(ppid) === parent).map(([pid]) => Number(pid));
  const found = children(root);
  for (const pid of found) found.push(...children(pid));
  return found;
}

/** Those of the processes that do not end soon. */
async function thoseLeft(pids: readonly number[]): Promise<number[]> {
  const deadline = performance.now() + GRACE_MS;
  for (;;) {
    const left = pids.filter(isRunning);
    if (left.length === 0 || performance.now() > deadline) return left;
    await sleep(50);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
