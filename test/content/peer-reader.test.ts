import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, it } from "mocha";
import { createKuboStore } from "../../content/kubo.ts";
import { readingStore } from "../../content/reading-store.ts";
import type { ReadingStore } from "../../content/reading-store.ts";
import { createRecorder } from "../support/round-recorder.ts";
import { startFakeKubo } from "./fake-kubo.ts";
import { blocksOfCar, text, Workbench } from "./support.ts";

const bench = new Workbench();
const reporter = createRecorder();
const LIMITS = { maxBytes: 1000 };

const STORES: readonly (readonly [string, (peers: () => readonly string[]) => Promise<ReadingStore>])[] = [
  ["on disk", (peers) => bench.store({ peers })],
  ["that changes nothing", async (peers) => readingStore({ directory: await bench.folder(), peers, reporter })],
  [
    "over a Kubo node",
    async (peers) => {
      const node = await startFakeKubo();
      bench.onClose(() => node.close());
      return createKuboStore({ apiUrl: node.url, peers, reporter });
    },
  ],
];

describe("a peer that sends what is wrong", () => {
  afterEach(() => bench.clear());

  for (const [name, open] of STORES)
    it(`is asked last from then on, by a store ${name}`, async () => {
      const source = await bench.store();
      const cid = await source.putDirectory({ a: text("first"), b: text("second"), c: text("third") });
      const blocks = blocksOfCar(await source.exportCar(cid));
      const asked: string[] = [];
      const wrong = await peer((path) => {
        asked.push(path);
        return Buffer.from("wrong");
      });
      const right = await peer((path) => Buffer.from(blocks.get(path.split(/[/?]/)[2] ?? "") ?? []));
      const store = await open(() => [wrong, right]);
      for (const file of ["a", "b", "c"]) await store.getFile(cid, file, LIMITS);
      assert.deepEqual(asked, [`/ipfs/${cid}?format=raw`]);
    });

  async function peer(answer: (path: string) => Buffer): Promise<string> {
    const server = createServer((request, response) => void response.end(answer(request.url ?? "")));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    bench.onClose(async () => server.close().closeAllConnections());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
});
