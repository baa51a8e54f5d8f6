/** Commands that serve, at an address that somebody else has. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "mocha";
import { startHarness } from "../support/round-harness.ts";
import type { RoundHarness } from "../support/round-harness.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Which account runs it: the operator's, a member's, or nobody's. */
const COMMANDS = [
  ["aggregator/cli.ts", "serve", 0],
  ["aggregator/cli.ts", "member", 1],
  ["auditor/cli.ts", "dashboard", undefined],
] as const;

describe("an address where another process listens", function () {
  this.timeout(120_000);
  let harness: RoundHarness;
  let other: Server;
  before(async () => {
    harness = await startHarness({ clients: 3, learning: "scripted" });
    other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  });
  after(async () => {
    other.close();
    await harness.close();
  });

  const run = async (
    script: string,
    command: string,
    account: number | undefined,
  ): Promise<readonly [number, string]> => {
    const { port } = other.address() as AddressInfo;
    const args = ["--contract", harness.contract, "--rpc", harness.chain.rpc, "--listen", `127.0.0.1:${port}`];
    const state = ["--state", join(harness.directory, `listening-${command}`)];
    const key = account === undefined ? {} : { VERISUM_KEY: harness.chain.wallet(account).privateKey };
    const child = spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", script, command, ...args, ...state],
      {
        ...{ cwd: ROOT, env: { ...process.env, VERISUM_KEY: undefined, ...key } },
      },
    );
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    const status = await new Promise<number>((resolve) => child.once("close", (code) => resolve(code!)));
    return [status, said];
  };

  for (const [script, command, account] of COMMANDS)
    it(`ends ${command} with a code and the address`, async () => {
      const [status, said] = await run(script, command, account);
      assert.equal(status, 1, said);
      assert.match(
        said,
        new RegExp(
          `LISTEN_FAILED: cannot listen at 127\\.0\\.0\\.1:${(other.address() as AddressInfo).port}: EADDRINUSE`,
        ),
      );
    });
});
