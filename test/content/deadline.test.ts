import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setFlagsFromString } from "node:v8";
import { setImmediate } from "node:timers/promises";
import { runInNewContext } from "node:vm";
import { afterEach, describe, it } from "mocha";
import { withDeadline } from "../../content/deadline.ts";
import { rejectsWith, Workbench } from "./support.ts";

const bench = new Workbench();
const never = (): Promise<never> => new Promise(() => undefined);

describe("ipfs time limits", () => {
  afterEach(() => bench.clear());

  it("pass on results and errors that come in time, and leave no timer behind", async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    await setImmediate(); // mocha's own starts with the test
    const others = timers();
    assert.equal(await withDeadline(60_000, undefined, async () => 7), 7);
    await assert.rejects(
      withDeadline(60_000, undefined, async () => {
        throw new RangeError("own");
      }),
      RangeError,
    );
    assert.equal(timers(), others);
  });

  it("end work that does not heed its signal", async () => {
    await rejectsWith(withDeadline(20, undefined, never), "IPFS_UNAVAILABLE");
  });

  it("end with the outer work, even if that ended before", async () => {
    const outer = new AbortController();
    const ended = withDeadline(60_000, outer.signal, never);
    outer.abort(new RangeError("outer"));
    await assert.rejects(ended, RangeError);
    await assert.rejects(withDeadline(60_000, outer.signal, never), RangeError);
  });

  it("hold through garbage collections while a body stalls", async () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage = runInNewContext("gc") as () => void;
    const server = createServer((_request, response) => {
      response.writeHead(200);
      response.write("x"); // and never ends
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    bench.onClose(async () => server.closeAllConnections());
    bench.onClose(async () => server.close());
    const collecting = setInterval(collectGarbage, 10);
    bench.onClose(async () => clearInterval(collecting));
    const peer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const store = await bench.store({ peers: () => [peer], limits: { blockTimeoutMs: 150, callTimeoutMs: 60_000 } });
    await rejectsWith(store.pin("bafybeigl62ftvki6n6lwpot4c6c2cdaswgcm3vqvuu2xo4leq5hczk3d2i"), "IPFS_UNAVAILABLE");
  });
});
