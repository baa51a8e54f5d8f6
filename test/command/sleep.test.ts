import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, it } from "mocha";
import { watchdog } from "../../auditor/watchdog.ts";
import { withinTime } from "../../client/trainers/within-time.ts";
import { contentOptions } from "../../command/options.ts";
import { createProgram } from "../../command/program.ts";
import { abortableSleep } from "../../command/sleep.ts";

/** Milliseconds that no timer can wait: asked for them, it fires at once. */
const FOREVER = 2 ** 40;

describe("a wait that is longer than timers are", () => {
  const warnings: string[] = [];
  const onWarning = ({ name }: Error): void => void warnings.push(name);
  beforeEach(() => void process.on("warning", onWarning));
  afterEach(() => void process.removeListener("warning", onWarning));

  it("does not end at once", async () => {
    const stop = new AbortController();
    const late = (): Error => new Error("late");
    let ended = 0;
    const waits = [
      abortableSleep(stop.signal)(FOREVER),
      watchdog(FOREVER, "something").guard(new Promise((_, reject) => stop.signal.addEventListener("abort", reject))),
      withinTime((signal) => new Promise((_, reject) => signal.addEventListener("abort", reject)), {
        ...{ seconds: FOREVER, stop: stop.signal, late },
      }),
    ].map((wait) =>
      wait.then(
        () => ended++,
        () => ended++,
      ),
    );
    await delay(100);
    assert.equal(ended, 0);
    stop.abort();
    await Promise.all(waits);
    assert.deepEqual({ ended, warnings }, { ended: 3, warnings: [] });
  });

  for (const value of ["0", "-1", "2147483648", "1e3"])
    it(`is refused as an option: ${value}`, () => {
      const command = contentOptions(createProgram("test", "a test")).exitOverride();
      command.configureOutput({ writeErr: () => undefined, outputError: () => undefined });
      assert.throws(() => command.parse(["--poll-ms", value], { from: "user" }), { code: "commander.invalidArgument" });
    });
});
