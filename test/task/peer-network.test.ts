import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "mocha";
import type { TaskReader } from "../../chain/task-chain.ts";
import type { ContentStore } from "../../content/store.ts";
import { announcedNodes, createPeerNetwork } from "../../task/peer-network.ts";
import { rejectsCode } from "../support/errors.ts";
import { createRecorder } from "../support/round-recorder.ts";

const MEMBER = "0x00000000000000000000000000000000000000aa";
const TERM = { seat: 1, member: MEMBER, fromRound: 1n, untilRound: undefined };
const CID = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";

describe("a task's network", () => {
  it("tells of an announced address that nobody may ask, and of nodes that take no copy", async () => {
    const server = createServer((request, response) => {
      response.writeHead(request.method === "HEAD" ? 404 : 403);
      response.end(request.method === "HEAD" ? "" : '{"code":"IPFS_UPLOAD_REFUSED","message":"no room"}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const node = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const chain = {
      look: () => Promise.resolve({ round: { number: 1n }, seats: [TERM] }),
      operator: () => Promise.resolve(MEMBER),
      endpoints: () => Promise.resolve(new Map([[MEMBER, "http://100.100.100.200/latest/meta-data"]])),
    } as unknown as TaskReader;
    const store = { exportCar: () => Promise.resolve(new Uint8Array(8)) } as unknown as ContentStore;
    const reporter = createRecorder();
    const network = createPeerNetwork(chain, {
      bootstrap: [node],
      minCopies: 2,
      authorise: () => Promise.resolve("Verisum a secret"),
      sleep: () => Promise.resolve(),
      reporter,
    });
    await rejectsCode(network.replicate(store, CID), "IPFS_UNAVAILABLE");
    server.close();
    assert.deepEqual(network.peers(), [node]);
    assert.equal(reporter.facts("peer-not-asked")[0]?.["subject"], "http://100.100.100.200/latest/meta-data");
    const refused = { subject: `${node}/`, cid: CID, code: "IPFS_UPLOAD_REFUSED", reason: "no room" };
    assert.deepEqual(reporter.facts("copy-refused")[0], refused);
    assert.ok(!JSON.stringify(reporter.events).includes("secret"));
  });

  it("is what members and the operator announce: strangers' addresses are asked by nobody", async () => {
    const [operator, stranger] = [`0x${"b".repeat(40)}`, `0x${"c".repeat(40)}`];
    const chain = {
      look: () => Promise.resolve({ round: { number: 1n }, seats: [TERM] }),
      operator: () => Promise.resolve(operator),
      endpoints: () =>
        Promise.resolve(
          new Map([
            [stranger, "https://stranger.example"],
            [operator, "https://operator.example"],
            [MEMBER, "https://member.example"],
          ]),
        ),
    } as unknown as TaskReader;
    assert.deepEqual(await announcedNodes(chain, createRecorder()), [
      "https://operator.example",
      "https://member.example",
    ]);
  });
});
