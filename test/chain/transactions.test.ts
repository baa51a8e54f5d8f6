import assert from "node:assert/strict";
import { JsonRpcProvider, keccak256, Wallet } from "ethers";
import { developmentWallet as wallet } from "../../demo/development-wallet.ts";
import { after, afterEach, before, describe, it } from "mocha";
import type { NetworkConnection } from "hardhat/types/network";
import { connectReader, connectWriter } from "../../chain/connect.ts";
import type { ConnectOptions } from "../../chain/connect.ts";
import { deployTask } from "../../chain/deploy.ts";
import type { TaskWriter } from "../../chain/task-chain.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import { fromHex } from "../../protocol/transcript.ts";
import { rejectsCode } from "../support/errors.ts";
import { word } from "../support/random.ts";
import { serveChain } from "../support/rpc-server.ts";
import type { Misbehaviour, RpcServer } from "../support/rpc-server.ts";
import { KEYS_BLOB, openChain, PARAMETERS } from "../support/task-on-chain.ts";
import { waitsOf } from "../support/waits.ts";

const CHAIN_ID = 31_337n;

const MISBEHAVIOURS: readonly (readonly [string, Misbehaviour])[] = [
  ["status 503", { status: 503, body: "busy" }],
  ["a reset", "reset"],
  ["silence", "silence"],
  ["an empty answer", { status: 200, body: "" }],
  ["null", { status: 200, body: "null" }],
  ["an answer of another form", { status: 200, body: '{"jsonrpc":"2.0","id":1,"result":{"no":"result"}}' }],
];

const DEAR_WEI = 10n ** 15n;
const DEAR_HEX = `0x${DEAR_WEI.toString(16)}`;

/** Prices that no account is to pay, as an endpoint tells them. */
const DEAR: readonly (readonly [string, NonNullable<RpcServer["alter"]>])[] = [
  ["a tip", ({ method }, result) => (method === "eth_maxPriorityFeePerGas" ? DEAR_HEX : result)],
  [
    "a base fee",
    ({ method }, result) =>
      method === "eth_getBlockByNumber" ? { ...(result as object), baseFeePerGas: DEAR_HEX } : result,
  ],
  [
    "a gas price",
    ({ method }, result) => {
      if (method === "eth_gasPrice") return DEAR_HEX;
      if (method !== "eth_getBlockByNumber") return result;
      const { baseFeePerGas: _, ...block } = result as Readonly<Record<string, unknown>>;
      return block;
    },
  ],
];

/** More refusals than one request is tried. */
const LOST = 8;

describe("a transaction that waits to be mined", function () {
  this.timeout(120_000);
  let connection: NetworkConnection;
  let server: RpcServer;
  let options: ConnectOptions;
  const ask = (method: string, ...params: unknown[]): Promise<unknown> =>
    connection.provider.request({ method, params });
  const as = (index: number, more: Partial<ConnectOptions> = {}): Promise<TaskWriter> =>
    connectWriter({ ...options, ...more, wallet: wallet(index) });
  /** Until something waits in the pool. */
  const pooled = async (): Promise<string> => {
    for (const end = performance.now() + 20_000; ;) {
      assert.ok(performance.now() < end, "nothing was sent");
      const { transactions } = (await ask("eth_getBlockByNumber", "pending", false)) as { transactions: string[] };
      if (transactions[0] !== undefined) return transactions[0];
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  before(async () => {
    connection = await openChain();
    server = await serveChain(connection);
    const provider = new JsonRpcProvider(server.url, CHAIN_ID, { staticNetwork: true, cacheTimeout: -1 });
    const operator = wallet(0).connect(provider);
    const { contract } = await deployTask(operator, PARAMETERS, fromHex(KEYS_BLOB), wallet(0).address);
    provider.destroy();
    options = { rpc: server.url, contract, chainId: CHAIN_ID, confirmations: 0, timeoutMs: 300 };
  });
  afterEach(async () => {
    server.fault = undefined;
    server.alter = undefined;
    await ask("evm_mine");
    await ask("evm_setAutomine", true);
  });
  after(async () => {
    await server.close();
    await connection.close();
  });

  for (const [name, misbehaviour] of MISBEHAVIOURS)
    it(`is waited for through ${name} in place of the first answers of every method`, async () => {
      const writer = await as(1);
      await ask("evm_setAutomine", false);
      const faulted = new Map<string, number>();
      server.fault = ({ method }) => {
        const before = faulted.get(method) ?? 0;
        if (before === 2) return undefined;
        faulted.set(method, before + 1);
        return misbehaviour;
      };
      const url = `http://${name.replaceAll(" ", "-")}.example`;
      const sent = writer.announce(url);
      const hash = await pooled();
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await ask("evm_mine");
      assert.equal((await sent).transactionHash, hash);
      assert.ok(faulted.size >= 3, [...faulted.keys()].join());
      server.fault = undefined;
      assert.equal((await writer.endpoints()).get(writer.account), url);
    });

  it("is sent again for more when the network forgot it", async () => {
    const writer = await as(2);
    await ask("evm_setAutomine", false);
    const sent = writer.announce("http://dropped.example");
    const first = await pooled();
    await ask("hardhat_dropTransaction", first);
    for (let block = 0; block < 4; block++) await ask("evm_mine");
    const second = await pooled();
    await ask("evm_mine");
    const { transactionHash } = await sent;
    assert.notEqual(first, second);
    assert.equal(transactionHash, second);
    assert.equal((await writer.endpoints()).get(writer.account), "http://dropped.example");
  });

  it("is sent again as it is where it was lost, and no block comes without it", async () => {
    const writer = await as(4);
    let refused = 0;
    server.fault = ({ method }) => {
      if (method !== "eth_sendRawTransaction" || refused === LOST) return undefined;
      refused++;
      return { status: 503, body: "busy" };
    };
    const height = (await ask("eth_blockNumber")) as string;
    const { blockNumber } = await writer.announce("http://lost.example");
    assert.equal(refused, LOST);
    assert.equal(blockNumber, Number(height) + 1);
  });

  it("takes the next nonce where an endpoint told it a later one", async () => {
    const writer = await as(8);
    let lies = 0;
    server.alter = ({ method }, result) => {
      if (method !== "eth_getTransactionCount" || lies === 2) return result;
      lies++;
      return `0x${(Number(result) + 1).toString(16)}`;
    };
    await ask("evm_setAutomine", false);
    const sent = writer.announce("http://gap.example");
    await new Promise((resolve) => setTimeout(resolve, 200));
    const mining = setInterval(() => void ask("evm_mine"), 5_000);
    try {
      await sent;
    } finally {
      clearInterval(mining);
      server.alter = undefined;
    }
    assert.equal(lies, 2);
    assert.equal((await writer.endpoints()).get(writer.account), "http://gap.example");
  });

  it("takes the place of one that an earlier process left behind", async () => {
    const stuck = await as(3);
    await ask("evm_setAutomine", false);
    const abandoned = new AbortController();
    const before = (await as(3, { signal: abandoned.signal })).announce("http://before.example");
    await pooled();
    abandoned.abort();
    await rejectsCode(before, "INTERRUPTED");
    const sent = stuck.announce("http://after.example");
    const mining = setInterval(() => void ask("evm_mine"), 100);
    try {
      await sent;
    } finally {
      clearInterval(mining);
    }
    assert.equal((await stuck.endpoints()).get(stuck.account), "http://after.example");
  });

  it("is given up when its phase ends", async () => {
    const operator = await as(0);
    const members = await Promise.all([1, 2, 3, 4].map((index) => as(index)));
    for (const member of members) await operator.registerMember(member.account);
    for (const index of [5, 6, 7])
      await operator.registerClient(wallet(index).address.toLowerCase() as `0x${string}`, 1);
    for (const member of members) await member.registerRoundKeys(1n, [word(member.account)]);
    await ask("evm_setAutomine", false);
    const opened = operator.openRound();
    const first = await pooled();
    await ask("hardhat_dropTransaction", first);
    await ask("evm_setAutomine", true);
    await members[0]!.openRound();
    await rejectsCode(opened, "CHAIN_TRANSACTION_LOST");
  });

  it("ends with the signal, as every hanging request does", async () => {
    const controller = new AbortController();
    const writer = await as(1, { signal: controller.signal, timeoutMs: 600_000 });
    server.fault = () => "silence";
    setTimeout(() => controller.abort(), 50);
    await rejectsCode(writer.announce("http://never.example"), "INTERRUPTED");
    await rejectsCode(writer.round(), "INTERRUPTED");
  });

  for (const [what, lie] of DEAR)
    it(`is not sent for ${what} above the ceiling`, async () => {
      const writer = await as(1);
      const sent = server.asked.filter((method) => method === "eth_sendRawTransaction").length;
      server.alter = lie;
      await assert.rejects(writer.announce("http://dear.example"), (error) => {
        assert.ok(isVerisumError(error, "CHAIN_FEES_TOO_HIGH"));
        assert.equal(error.details["priceWei"], DEAR_WEI);
        assert.match(error.message, /1000000\.0 gwei, and at most 500\.0 gwei .* --max-fee-per-gas/);
        return true;
      });
      server.alter = undefined;
      assert.equal(server.asked.filter((method) => method === "eth_sendRawTransaction").length, sent);
    });

  it("stays as it is, and is sent again, where more would be above the ceiling", async () => {
    const { baseFeePerGas } = (await ask("eth_getBlockByNumber", "latest", false)) as { baseFeePerGas: string };
    const tip = (await ask("eth_maxPriorityFeePerGas")) as string;
    const writer = await as(7, { maxFeePerGas: 2n * BigInt(baseFeePerGas) + BigInt(tip) });
    await ask("evm_setAutomine", false);
    const sent = writer.announce("http://ceiling.example");
    const first = await pooled();
    await ask("hardhat_dropTransaction", first);
    for (let block = 0; block < 4; block++) await ask("evm_mine");
    assert.equal(await pooled(), first);
    await ask("evm_mine");
    assert.equal((await sent).transactionHash, first);
  });

  it("that the account cannot pay for is refused with what is missing", async () => {
    const poor = await connectWriter({ ...options, wallet: new Wallet(word("poor")) });
    await assert.rejects(poor.announce("http://poor.example"), (error) => {
      assert.ok(isVerisumError(error, "CHAIN_FUNDS_MISSING"));
      assert.equal(error.details["balanceWei"], 0n);
      assert.ok((error.details["neededWei"] as bigint) > 0n);
      assert.match(error.message, /has 0\.0 ETH and needs 0\.0*[1-9][0-9]* ETH/);
      return true;
    });
  });
});

describe("several endpoints", function () {
  this.timeout(60_000);
  it("stand in for one another: the one that fails is set aside by name, and used again later", async () => {
    const connection = await openChain();
    const [bad, good] = [await serveChain(connection), await serveChain(connection)];
    try {
      const provider = new JsonRpcProvider(good.url, CHAIN_ID, { staticNetwork: true, cacheTimeout: -1 });
      const operator = wallet(0).connect(provider);
      const { contract } = await deployTask(operator, PARAMETERS, fromHex(KEYS_BLOB), wallet(0).address);
      provider.destroy();
      const events: string[] = [];
      const reader = await connectReader({
        rpc: [bad.url, good.url],
        contract,
        confirmations: 0,
        onEndpoint: (event, url) => void events.push(`${event} ${url}`),
      });
      bad.fault = () => ({ status: 503, body: "busy" });
      const waits = await waitsOf(100, async () => {
        for (let i = 0; i < 10; i++) assert.equal(await reader.clientCount(), 0);
      });
      assert.deepEqual(waits, [], "no pause where another endpoint answers");
      assert.deepEqual(events, [`set-aside ${bad.url}`]);
    } finally {
      await bad.close();
      await good.close();
      await connection.close();
    }
  });

  for (const [what, isMining, says] of [
    ["that it drops, once it is sent again", false, () => "taken"],
    ["that it drops, once it is replaced", true, () => "taken"],
    ["whose replacements it refuses", true, (offers: number) => (offers === 1 ? "taken" : "underpriced")],
  ] as const)
    it(`are all offered a transaction that one says it took, and ${what}`, async () => {
      const connection = await openChain();
      const servers = [await serveChain(connection), await serveChain(connection), await serveChain(connection)];
      const [bad, dead, good] = servers as [RpcServer, RpcServer, RpcServer];
      const mine = (): void => void connection.provider.request({ method: "evm_mine", params: [] });
      let mining: NodeJS.Timeout | undefined;
      try {
        const provider = new JsonRpcProvider(good.url, CHAIN_ID, { staticNetwork: true, cacheTimeout: -1 });
        const operator = wallet(0).connect(provider);
        const { contract } = await deployTask(operator, PARAMETERS, fromHex(KEYS_BLOB), wallet(0).address);
        provider.destroy();
        const rpc = [bad.url, dead.url, good.url];
        const writer = await connectWriter({ rpc, contract, confirmations: 0, wallet: wallet(1) });
        let offers = 0;
        bad.fault = ({ id, method, params }) => {
          if (method !== "eth_sendRawTransaction") return undefined;
          const error = { code: -32_000, message: "replacement transaction underpriced" };
          const answer = says(++offers) === "taken" ? { result: keccak256(params[0] as string) } : { error };
          return { status: 200, body: JSON.stringify({ jsonrpc: "2.0", id, ...answer }) };
        };
        dead.fault = () => "reset";
        if (isMining) mining = setInterval(mine, 500);
        await writer.announce("http://dropped.example");
        assert.ok(offers > 1);
        assert.equal(good.asked.filter((method) => method === "eth_sendRawTransaction").length, 2);
      } finally {
        clearInterval(mining);
        for (const server of servers) await server.close();
        await connection.close();
      }
    });

  it("are each asked which deployment a contract is, also the one that is not in use", async () => {
    const connection = await openChain();
    const [one, other] = [await serveChain(connection), await serveChain(connection)];
    try {
      const provider = new JsonRpcProvider(one.url, CHAIN_ID, { staticNetwork: true, cacheTimeout: -1 });
      const operator = wallet(0).connect(provider);
      const { contract } = await deployTask(operator, PARAMETERS, fromHex(KEYS_BLOB), wallet(0).address);
      provider.destroy();
      const reader = await connectReader({ rpc: [one.url, other.url], contract, confirmations: 0 });
      const { deployment } = reader.context;
      assert.deepEqual(await reader.deployments(), [deployment, deployment]);
      const wrong = `0x${"11".repeat(32)}`;
      other.alter = ({ method }, result) => (method === "eth_call" ? wrong : result);
      assert.deepEqual(await reader.deployments(), [deployment, wrong]);
      other.alter = () => "0x";
      assert.deepEqual(await reader.deployments(), [deployment, undefined]);
      other.fault = () => ({ status: 503, body: "busy" });
      assert.deepEqual(await reader.deployments(), [deployment, undefined]);
    } finally {
      await one.close();
      await other.close();
      await connection.close();
    }
  });
});
