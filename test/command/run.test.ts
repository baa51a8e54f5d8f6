import { describe, it } from "mocha";
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { failureLine } from "../../command/failure.ts";
import { createReporter } from "../../command/reporter.ts";
import { outlive, persist } from "../../command/run.ts";
import { ERRORS, VerisumError } from "../../protocol/errors.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { rejectsCode } from "../support/errors.ts";
import { FULL_DEVICE, onFullDevice } from "../support/full-device.ts";
import { createRecorder } from "../support/round-recorder.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const sourceOf = (body: string): string => `
    import { createReporter } from "./command/reporter.ts";
    import { runCommand } from "./command/run.ts";
    import { VerisumError } from "./protocol/errors.ts";
    const reporter = createReporter("json", "test", (line) => void process.stdout.write(line + "\\n"), () => 0);
    await runCommand(reporter, async (signal) => { ${body} });`;
const nodeArguments = (body: string): string[] => [
  "--disable-warning=ExperimentalWarning",
  "--input-type=module-typescript",
  ...["-e", sourceOf(body)],
];

/** Runs a command in a process of its own, whose body is the given source. */
const run = (
  body: string,
): {
  readonly status: number | null;
  readonly events: readonly { readonly event: string; readonly code?: string }[];
} => {
  const { status, stdout } = spawnSync(process.execPath, nodeArguments(body), { cwd: ROOT, encoding: "utf8" });
  return {
    status,
    events: stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { event: string; code?: string }),
  };
};

describe("exit statuses", () => {
  const expected: Partial<Record<ErrorCode, number>> = {
    USAGE: 4,
    PARAMETERS_INVALID: 4,
    WINDOWS_TOO_SHORT: 4,
    ROSTER_INVALID: 4,
    CONSENT_MISSING: 4,
    PRIVACY_PARAMETERS_INVALID: 4,
    INTERRUPTED: 3,
    CHAIN_UNREACHABLE: 2,
    CHAIN_WRONG_NETWORK: 2,
    CHAIN_EVENTS_MISSING: 2,
    IPFS_UNAVAILABLE: 2,
    SIGNATURE_NOT_TAKEN: 2,
  };
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    it(`${code} ends a command with ${expected[code] ?? 1}`, () =>
      assert.equal(ERRORS[code].exit, expected[code] ?? 1));
  }

  it("are 0 for a command that did its work, whatever timers are left", () => {
    assert.deepEqual(run("setInterval(() => {}, 1000);"), { status: 0, events: [] });
  });

  it("are the code's for a failure, which is named", () => {
    const { status, events } = run('throw new VerisumError("CHAIN_UNREACHABLE", "gone");');
    assert.equal(status, 2);
    assert.deepEqual(
      events.map(({ event, code }) => [event, code]),
      [["failed", "CHAIN_UNREACHABLE"]],
    );
  });

  it("are a file's that cannot be read, whoever reads it", () => {
    const { status, events } = run('(await import("node:fs")).readFileSync("/nowhere/file");');
    assert.equal(status, 1);
    assert.deepEqual(
      events.map(({ event, code }) => [event, code]),
      [["failed", "STORAGE_FAILED"]],
    );
  });

  it("are 5 for a defect, which is one line with what it knows", () => {
    const { status, events } = run('throw new TypeError("a defect");');
    assert.equal(status, 5);
    assert.deepEqual(
      events.map(({ event, code }) => [event, code]),
      [["defect", "DEFECT"]],
    );
  });

  it("are 3 after a signal, whatever the command waits for", () => {
    const { status } = run(
      'setTimeout(() => process.kill(process.pid, "SIGTERM"), 1); setInterval(() => {}, 1000); await new Promise(() => {});',
    );
    assert.equal(status, 3);
  });

  it("are 3 after a signal, also a terminal's that is closed", () => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) {
      const { status } = run(
        `const { abortableSleep } = await import("./command/sleep.ts"); setTimeout(() => process.kill(process.pid, "${signal}"), 1); await abortableSleep(signal)(60_000);`,
      );
      assert.equal(status, 3, signal);
    }
  }).timeout(20_000);
});

describe("what others wrote", () => {
  it("moves no cursor of a terminal that shows it, in progress or in a failure", () => {
    const hostile = "gone\u001b[2J\u009b31m\u202e\r\nnext";
    const lines: string[] = [];
    const reporter = createReporter(
      "text",
      "test",
      (line) => void lines.push(line),
      () => 0,
    );
    reporter.say("warn", "event", hostile);
    reporter.wait(hostile);
    lines.push(failureLine(new VerisumError("CHAIN_UNREACHABLE", hostile)), failureLine(new Error(hostile)));
    // Colours are the reporter's own.
    for (const line of lines.map(stripVTControlCharacters)) {
      assert.match(line, /gone\ufffd\[2J/);
      assert.doesNotMatch(line.replaceAll("\n", " "), /[\p{Cc}\u202e]/u);
    }
  });
});

describe("standard output", () => {
  it("without a reader ends no command, as a role's whose log nobody reads any more", async () => {
    const body = `for (let i = 0; i < 50; i++) {
      reporter.say("info", "line", "x".repeat(1000));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    process.stderr.write("done");`;
    const child = spawn(process.execPath, nodeArguments(body), { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    child.stderr.on("data", (piece: Buffer) => (said += piece.toString()));
    child.stdout.once("data", () => child.stdout.destroy());
    const [status] = (await once(child, "close")) as [number | null];
    assert.deepEqual({ status, said }, { status: 0, said: "done" });
  }).timeout(30_000);

  it(
    "that cannot be written is no success",
    onFullDevice(() => {
      const full = openSync(FULL_DEVICE, "w");
      try {
        const { status } = spawnSync(process.execPath, nodeArguments('process.stdout.write("a result");'), {
          cwd: ROOT,
          stdio: ["ignore", full, "ignore"],
        });
        assert.equal(status, ERRORS.STORAGE_FULL.exit);
      } finally {
        closeSync(full);
      }
    }),
  );
});

describe("what is thrown where nobody waits", () => {
  it("is named and ends the command if it is a defect, and only named if it passes by itself", () => {
    const later = (thrown: string): string =>
      `setTimeout(() => void Promise.reject(${thrown}), 1); await new Promise((resolve) => setTimeout(resolve, 200));`;
    const defect = run(later('new TypeError("on a timer")'));
    assert.deepEqual([defect.status, defect.events.map(({ event }) => event)], [5, ["defect"]]);
    const passing = run(later('new VerisumError("CHAIN_UNREACHABLE", "gone")'));
    assert.deepEqual([passing.status, passing.events.map(({ code }) => code)], [0, ["CHAIN_UNREACHABLE"]]);
  });
});

describe("a role that outlives failures", () => {
  for (const code of ["CHAIN_UNREACHABLE", "CHAIN_REVERTED", "CHAIN_TRANSACTION_LOST", "IPFS_UNAVAILABLE"] as const) {
    it(`goes on after ${code}`, async () => {
      assert.equal(await outlive(() => Promise.reject(new VerisumError(code, "passing")), createRecorder()), undefined);
    });
  }

  for (const code of ["STORAGE_CORRUPT", "AUDIT_FAILED", "ROUND_EQUIVOCATION", "KEY_REFUSED", "INTERRUPTED"] as const) {
    it(`ends with ${code}`, () =>
      rejectsCode(
        outlive(() => Promise.reject(new VerisumError(code, "final")), createRecorder()),
        code,
      ));
  }

  it("does what it cannot start without again and again, with a message, until it is done", async () => {
    const reporter = createRecorder();
    let failures = 3;
    const work = (): Promise<number> =>
      failures-- > 0 ? Promise.reject(new VerisumError("CHAIN_UNREACHABLE", "away")) : Promise.resolve(7);
    const pauses: number[] = [];
    assert.equal(await persist(work, reporter, (pause) => Promise.resolve(void pauses.push(pause))), 7);
    assert.equal(pauses.length, 3);
    await rejectsCode(
      persist(
        () => Promise.reject(new VerisumError("CHAIN_NO_CONTRACT", "none")),
        reporter,
        async () => undefined,
      ),
      "CHAIN_NO_CONTRACT",
    );
  });

  it("passes results and defects on", async () => {
    assert.equal(await outlive(() => Promise.resolve(7), createRecorder()), 7);
    await assert.rejects(
      outlive(() => Promise.reject(new TypeError("a defect")), createRecorder()),
      TypeError,
    );
  });
});
