import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JsonRpcProvider } from "ethers";
import { developmentWallet as wallet } from "../../demo/development-wallet.ts";
import type { NetworkConnection } from "hardhat/types/network";
import { after, before, describe, it } from "mocha";
import { connectReader, connectWriter } from "../../chain/connect.ts";
import { deployTask } from "../../chain/deploy.ts";
import { openEventStore } from "../../chain/event-store.ts";
import type { TaskReader } from "../../chain/task-chain.ts";
import { fromHex } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { onLongChain } from "../support/long-chain.ts";
import type { LongChain, LongChainShape } from "../support/long-chain.ts";
import { word } from "../support/random.ts";
import { serveChain } from "../support/rpc-server.ts";
import type { RpcServer } from "../support/rpc-server.ts";
import { KEYS_BLOB, openChain, PARAMETERS } from "../support/task-on-chain.ts";

const CHAIN_ID = 31_337n;

const LATEST = 300_000_000;
const SHAPE = { deployedAt: LATEST - 100_000, latest: LATEST, pageLimit: 10_000 };

describe("a task deployed 100,000 blocks ago on a chain of 300 million", function () {
  this.timeout(60_000);
  let connection: NetworkConnection;
  let contract: Hex;
  let directory: string;
  const servers: RpcServer[] = [];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "verisum-long-chain-"));
    connection = await openChain();
    // Blocks of others come first, so that the search for the deployment has something to find.
    await connection.provider.request({ method: "hardhat_mine", params: ["0x20"] });
    const server = await serveChain(connection);
    servers.push(server);
    const provider = new JsonRpcProvider(server.url, CHAIN_ID, { staticNetwork: true, cacheTimeout: -1 });
    const deployed = await deployTask(wallet(0).connect(provider), PARAMETERS, fromHex(KEYS_BLOB), wallet(0).address);
    provider.destroy();
    contract = deployed.contract;
    const as = (index: number): ReturnType<typeof connectWriter> =>
      connectWriter({ rpc: server.url, contract, confirmations: 0, wallet: wallet(index) });
    const operator = await as(0);
    for (const seat of [1, 2, 3, 4]) await operator.registerMember((await as(seat)).account);
    for (const client of [5, 6, 7]) await operator.registerClient((await as(client)).account, 1);
    for (const seat of [1, 2, 3, 4]) await (await as(seat)).registerRoundKeys(1n, [word(`key ${seat}`)]);
    await operator.openRound();
  });
  after(async () => {
    await Promise.all(servers.map((server) => server.close()));
    await connection.close();
    await rm(directory, { recursive: true });
  });

  const behindLimit = async (
    shape: Partial<LongChainShape> = {},
  ): Promise<LongChain & { readonly server: RpcServer }> => {
    const long = await onLongChain(connection, contract, { ...SHAPE, ...shape });
    const server = await serveChain(long.connection);
    servers.push(server);
    return { ...long, server };
  };
  /** What `fl status` asks of the chain. */
  const look = async (
    { server }: { readonly server: RpcServer },
    options: { readonly fromBlock?: number; readonly kept?: string } = {},
  ): Promise<TaskReader> => {
    const { kept, ...rest } = options;
    const reader = await connectReader({
      ...{ rpc: server.url, contract, confirmations: 64, lookMs: 5_000, ...rest },
      ...(kept === undefined ? {} : { eventStore: openEventStore(kept) }),
    });
    const { round, clientCount } = await reader.look();
    assert.deepEqual([round.number, round.phase, clientCount], [1n, "Collecting", 3]);
    assert.equal((await reader.clients()).length, 3);
    assert.deepEqual(await reader.finalisedRoundNumbers(), []);
    assert.deepEqual(await reader.endpoints(), new Map());
    assert.deepEqual(await reader.timing(), { secondsPerBlock: 0, finalitySeconds: 0 });
    await reader.save();
    return reader;
  };

  it("is looked at cold in 20 requests at most, none of them for events below its deployment", async () => {
    const long = await behindLimit();
    const reader = await look(long);
    assert.equal((await reader.origin()).number, SHAPE.deployedAt);
    assert.ok(long.server.posts <= 20, `${long.server.posts} requests`);
    assert.deepEqual(
      long.rangesFrom.filter((from) => from < SHAPE.deployedAt),
      [],
    );
  });

  it("is looked at again in 3 requests at most, with what was kept", async () => {
    await look(await behindLimit(), { kept: directory });
    const again = await behindLimit();
    await look(again, { kept: directory });
    assert.ok(again.server.posts <= 3, `${again.server.posts} requests`);
  });

  it("is not read again before the present round's opening, when somebody is suspected in it", async () => {
    const long = await behindLimit();
    const reader = await look(long);
    const { events } = await reader.look();
    const opening = events().find(({ name }) => name === "RoundOpened")!.blockNumber;
    const before = long.rangesFrom.length;
    await reader.rereadRound("somebody would be blamed");
    assert.equal((await reader.records(1n)).opened!.round, 1n);
    const ranges = long.rangesFrom.slice(before);
    // What is not final yet is read at each look.
    assert.equal(Math.min(...ranges), Math.min(opening, SHAPE.latest - 63));
  });

  it("is read from the block that the reader is told", async () => {
    const long = await behindLimit();
    await look(long, { fromBlock: SHAPE.deployedAt });
    assert.equal(long.rangesFrom[0], SHAPE.deployedAt);
    assert.ok(!long.server.asked.includes("eth_getTransactionCount"));
  });

  it("is read through pages of ten blocks where the endpoint gives no more", async () => {
    const young = { deployedAt: LATEST - 2_000, pageLimit: 10 };
    await look(await behindLimit(young), { fromBlock: young.deployedAt });
  });
});
