import assert from "node:assert/strict";
import { id, toBeHex } from "ethers";
import { afterEach, describe, it } from "mocha";
import { middleBlock } from "../../chain/final-block.ts";
import { TaskHistory } from "../../chain/history.ts";
import { openEndpoint } from "../../chain/rpc.ts";
import type { Counters } from "../../chain/task-chain.ts";
import { G1_INFINITY } from "../../protocol/points.ts";
import { serveRpc } from "../support/rpc-server.ts";
import type { RpcRequest, RpcServer } from "../support/rpc-server.ts";

const LATEST = 10_000;
/** Two epochs behind. */
const HONEST = LATEST - 64;
const TOO_OLD = 100;
const SECONDS_PER_BLOCK = 12;

const EMPTY = {
  round: {
    number: 0n,
    phase: "Idle",
    submitted: 0,
    included: 0n,
    proposedMembers: 0n,
    sum: G1_INFINITY,
  },
  ...{
    latestModel: { round: 0n },
    finalisedRounds: 0,
    memberCount: 0,
    clientCount: 0,
    listChanges: 0,
    privacySpent: 0n,
  },
} as unknown as Counters;

describe("the final block, by several endpoints", () => {
  const servers: (RpcServer & { finalized: number | null; finalHash?: string })[] = [];
  afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

  /** One endpoint that calls this block final; null: none. */
  const serve = async (finalized: number | null): Promise<(typeof servers)[number]> => {
    const block = (number: number): object => ({
      ...{ number: toBeHex(number), hash: id(`block ${number}`), parentHash: id(`block ${number - 1}`) },
      ...{ timestamp: toBeHex(1_700_000_000 + SECONDS_PER_BLOCK * number), transactions: [], difficulty: "0x0" },
      ...{ nonce: "0x0000000000000000", gasLimit: "0x1c9c380", gasUsed: "0x0", extraData: "0x" },
      ...{ miner: `0x${"00".repeat(20)}`, baseFeePerGas: "0x7" },
    });
    const answer = ({ method, params }: RpcRequest): unknown => {
      if (method === "eth_chainId") return "0x1";
      if (method === "eth_getLogs") return [];
      if (method === "eth_getTransactionCount") return "0x1";
      if (params[0] === "finalized")
        return server.finalized === null
          ? null
          : { ...block(server.finalized), ...(server.finalHash === undefined ? {} : { hash: server.finalHash }) };
      return block(params[0] === "latest" ? LATEST : Number(params[0]));
    };
    const upstream: Parameters<typeof serveRpc>[0] = async (requests) =>
      requests.map((request) => ({ id: request.id, result: answer(request) }));
    const server: (typeof servers)[number] = Object.assign(await serveRpc(upstream), { finalized });
    servers.push(server);
    return server;
  };
  const historyOver = async (): Promise<{ readonly history: TaskHistory; readonly said: string[] }> => {
    const said: string[] = [];
    const urls = servers.map(({ url }) => url);
    const { endpoint } = await openEndpoint(urls, 1n, {
      onEndpoint: (event, url, why) => said.push(`${event} ${urls.indexOf(url)}: ${why}`),
    });
    const history = new TaskHistory(endpoint, `0x${"11".repeat(20)}`, {
      ...{ depth: undefined, fromBlock: LATEST - 200 },
      counters: () => Promise.resolve(EMPTY),
      costPerRound: () => Promise.resolve(0n),
      operator: () => Promise.resolve(`0x${"22".repeat(20)}` as const),
      members: () => Promise.resolve([]),
    });
    return { history, said };
  };

  for (const [lie, finalized] of [
    ["far too old", TOO_OLD],
    ["far too new", LATEST],
  ] as const)
    it(`is that of the others where one of three tells one that is ${lie}, and that endpoint is set aside`, async () => {
      for (const told of [finalized, HONEST, HONEST - 32]) await serve(told);
      const { history, said } = await historyOver();
      const { finalBlock, blocks } = await history.read();
      assert.ok(finalBlock === HONEST || finalBlock === HONEST - 32, String(finalBlock));
      assert.equal(blocks.finalized?.number, finalBlock, "time is measured by it as well");
      assert.equal(said.length, 1);
      assert.match(said[0]!, new RegExp(`^set-aside 0: it says that block ${finalized} is final`));
    });

  it("is the older one of two endpoints': a release of what is not final cannot be taken back", async () => {
    for (const told of [LATEST, HONEST]) await serve(told);
    const { history } = await historyOver();
    assert.equal((await history.read()).finalBlock, HONEST);
  });

  it("stays what it was where the endpoint in use tells an older one later", async () => {
    for (const told of [HONEST, HONEST]) await serve(told);
    const { history, said } = await historyOver();
    assert.equal((await history.read()).finalBlock, HONEST);
    servers[0]!.finalized = TOO_OLD;
    assert.equal((await history.read()).finalBlock, HONEST);
    assert.match(said.join(), /^set-aside 0: /);
  });

  it("stays what it was where the endpoint in use tells another number with its hash", async () => {
    for (const told of [HONEST, HONEST]) await serve(told);
    const { history } = await historyOver();
    assert.equal((await history.read()).finalBlock, HONEST);
    Object.assign(servers[0]!, { finalized: LATEST, finalHash: id(`block ${HONEST}`) });
    const { finalBlock, blocks } = await history.read();
    assert.deepEqual([finalBlock, blocks.finalized?.number], [HONEST, HONEST]);
  });

  it("is the endpoint's own where there is one, and the others' where one calls none final", async () => {
    await serve(HONEST);
    assert.equal((await (await historyOver()).history.read()).finalBlock, HONEST);
    servers[0]!.finalized = null;
    assert.equal((await (await historyOver()).history.read()).finalBlock, -1);
    await serve(HONEST);
    assert.equal((await (await historyOver()).history.read()).finalBlock, HONEST);
  });

  it("is the middle one, of an even number the older in the middle, of those that say something", () => {
    const block = (number: number): { number: number; hash: string; timestamp: number } => ({
      ...{ number, hash: id(String(number)), timestamp: number },
    });
    const middle = (...numbers: number[]): number | undefined => middleBlock(numbers.map(block))?.number;
    assert.deepEqual([middle(3, 1, 2), middle(9, 1), middle(4, 3, 2, 1), middle()], [2, 1, 2, undefined]);
    assert.equal(middleBlock([undefined, block(5), undefined])?.number, 5);
  });
});
