import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { joinTask } from "../../client/join.ts";
import { platformRandom } from "../../command/platform-random.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { fetchNodeStatus } from "../../task/node-status.ts";
import { rejectsCode } from "../support/errors.ts";
import { reservePort, startHarness } from "../support/round-harness.ts";
import type { RoundHarness } from "../support/round-harness.ts";
import { createRecorder } from "../support/round-recorder.ts";

/** Of an account that the harness gives nobody. */
const ACCOUNT = 15;

describe("a client's own state and figures", function () {
  this.timeout(300_000);
  let harness: RoundHarness;
  before(async () => {
    harness = await startHarness({ clients: 3, learning: "scripted" });
  });
  after(() => harness.close());

  it("are there while it waits, say when it is ready, and end with it", async () => {
    const reserved = await reservePort();
    const { port } = reserved;
    await reserved.release();
    const url = `http://127.0.0.1:${port}`;
    const wallet = harness.chain.wallet(ACCOUNT);
    const controller = new AbortController();
    const options = {
      ...{ rpc: harness.chain.rpc, contract: harness.contract, confirmations: 0, wallet },
      ...{ stateDirectory: join(harness.directory, "watched"), peers: [harness.aggregator.url] },
      ...{ data: "digits?client=0&clients=5&seed=1", status: { host: "127.0.0.1", port } },
    };
    const deps = { reporter: createRecorder(), random: platformRandom, signal: controller.signal };
    const joined = joinTask(options, deps).catch((error: unknown) => error);
    const answers = async (path: string, status: number): Promise<string> => {
      for (;;) {
        const response = await fetch(url + path).catch(() => undefined);
        if (response?.status === status) return response.text();
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    // Nobody has listed the account: its loop has not begun.
    await answers("/health", 200);
    assert.match(await answers("/ready", 503), /has not begun/);
    // The port is taken: said at once, and nothing is left behind.
    await rejectsCode(
      joinTask({ ...options, stateDirectory: join(harness.directory, "other") }, deps),
      "LISTEN_FAILED",
    );
    await harness.operator.registerClient(wallet.address.toLowerCase() as Hex, 1);
    await answers("/ready", 200);
    const metrics = await answers("/metrics", 200);
    assert.match(metrics, /verisum_info\{role="client",.*\} 1/);
    assert.match(metrics, /verisum_ready 1/);
    const status = await fetchNodeStatus(url, fetch);
    assert.equal(status?.role, "client");
    assert.equal(status.account, wallet.address.toLowerCase());
    controller.abort();
    const ended = await joined;
    assert.ok(isVerisumError(ended, "INTERRUPTED"), String(ended));
    await assert.rejects(fetch(`${url}/health`));
  });
});
