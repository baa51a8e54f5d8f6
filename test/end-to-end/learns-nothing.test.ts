/** A task that never beats the majority class: every program that measures its models says so. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { ROOT } from "../../scripts/testing/plan.ts";
import { rows, u } from "../support/found.ts";
import { temporaryFolder } from "../support/tables.ts";
import type { Folder } from "../support/tables.ts";
import { TINY_SPECIFICATION } from "../support/tiny-specification.ts";

const NOTHING = /models (in a row )?are no better than always answering the most frequent class \(90\.0 %\)/;
/** Features that say nothing of a label that is 0 in nine rows of ten. */
const TABLE = (from: number): string =>
  `a,b,label\n${rows(100, (i) => `${u(i + from) - 0.5},${u(3 * i + from) - 0.5},${i % 10 === 0 ? 1 : 0}`)}\n`;
const TASK = {
  ...TINY_SPECIFICATION,
  document: {
    ...TINY_SPECIFICATION.document,
    model: { kind: "mlp", inputShape: [2], hidden: [], classCount: 2 },
    training: { ...TINY_SPECIFICATION.document.training, learningRate: 0.01 },
  },
  maxRounds: 3,
};

describe("a task whose models never beat the majority class", function () {
  this.timeout(600_000);
  let folder: Folder;
  before(async () => (folder = await temporaryFolder()));
  let demo: ChildProcess | undefined;
  after(async () => {
    // Also where the test ran out of time.
    demo?.kill("SIGTERM");
    await folder.remove();
  });

  it("is called that by aggregator, clients, demo and auditor", async () => {
    const task = await folder.file("task.json", JSON.stringify(TASK));
    const data = join(await folder.file("table/train.csv", TABLE(0)), "..");
    await folder.file("table/test.csv", TABLE(50));
    const started = spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", "demo/demo.ts", "--task", task, "--data", data].concat([
        "--plain",
        "--clients",
        "3",
        "--stay",
      ]),
      { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, NO_COLOR: "1" } },
    );
    demo = started;
    try {
      const lines: string[] = [];
      let standing: RegExpExecArray | null = null;
      for await (const line of createInterface({ input: started.stdout })) {
        lines.push(line);
        standing = /gateway (?:stays )?at (\S+) and the chain at (\S+), where the contract is (\S+);/.exec(line);
        if (standing !== null) break;
      }
      assert.ok(standing !== null, lines.join("\n"));
      const said = (by: RegExp): string[] => lines.filter((line) => by.test(line) && NOTHING.test(line));
      assert.equal(said(/ aggregator /).length, 1, lines.join("\n"));
      assert.equal(said(/ client \d /).length, 3, lines.join("\n"));
      assert.ok(said(/^all 3 models/).length === 1, lines.join("\n"));
      assert.match(lines.join("\n"), /federated \d\d\.\d % \(majority class 90\.0 %\)/);

      const [, gateway, rpc, contract] = standing as unknown as [string, string, string, string];
      const state = join(data, "auditor");
      const args = ["verify", "--contract", contract, "--rpc", rpc, "--confirmations", "0", "--peer", gateway];
      const verify = spawn(
        process.execPath,
        ["--disable-warning=ExperimentalWarning", "auditor/cli.ts", ...args, "--state", state, "--data", data],
        { cwd: ROOT },
      );
      const [out, errors] = await Promise.all([text(verify.stdout), text(verify.stderr), once(verify, "close")]);
      assert.equal(verify.exitCode, 0, out + errors);
      assert.match(
        out,
        /\(majority class 90\.0 %, balanced \d\d\.\d %\), loss .* recomputed on 100 examples, as claimed/,
      );
      assert.match(out + errors, NOTHING);
    } finally {
      const ended = once(started, "close");
      if (started.kill("SIGTERM")) await ended;
    }
  });
});
