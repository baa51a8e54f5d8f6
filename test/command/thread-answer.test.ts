import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { answerOf } from "../../command/thread-answer.ts";
import { rejectsCode } from "../support/errors.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const HELPERS = new URL("../../command/thread-answer.ts", import.meta.url).href;
/** A thread with this program. */
const program = (source: string): URL => new URL(`data:text/javascript,${encodeURIComponent(source)}`);
const answering = (compute: string): URL =>
  program(`import { answerOnce } from ${JSON.stringify(HELPERS)}; answerOnce(${compute})`);
const ENDLESS = program("for (;;);");

describe("an answer of a thread", () => {
  const { signal } = new AbortController();

  it("is what it computed, or what it threw, with its code", async () => {
    assert.equal(await answerOf(answering("(input) => input * 2"), 21, signal), 42);
    const errors = new URL("../../protocol/errors.ts", import.meta.url).href;
    const refusing = program(
      `import { answerOnce } from ${JSON.stringify(HELPERS)}; import { VerisumError } from ${JSON.stringify(errors)};
       answerOnce(() => { throw new VerisumError("USAGE", "no"); })`,
    );
    await rejectsCode(answerOf(refusing, 1, signal), "USAGE");
    await assert.rejects(answerOf(answering('() => { throw new TypeError("broken"); }'), 1, signal), TypeError);
    await assert.rejects(answerOf(program("process.exit(0)"), 1, signal), /without an answer/);
  });

  it("ends at once when it is not wanted any more, whatever it computes", async () => {
    const controller = new AbortController();
    const running = answerOf(ENDLESS, 1, controller.signal);
    setTimeout(() => controller.abort(), 50);
    await rejectsCode(running, "INTERRUPTED");
  });

  it("leaves a command able to hear a signal", async () => {
    const source = `
      import { createReporter } from "./command/reporter.ts";
      import { runCommand } from "./command/run.ts";
      import { answerOf } from "./command/thread-answer.ts";
      const reporter = createReporter("text", "test", () => undefined, () => 0);
      await runCommand(reporter, async (signal) => {
        process.stdout.write("begun");
        await answerOf(new URL(${JSON.stringify(ENDLESS.href)}), 1, signal);
      });`;
    const options = ["--disable-warning=ExperimentalWarning", "--input-type=module-typescript", "-e", source];
    const child = spawn(process.execPath, options, { cwd: ROOT });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGTERM");
    const status = await new Promise((resolve) => child.once("exit", resolve));
    assert.equal(status, 3);
  });
});
