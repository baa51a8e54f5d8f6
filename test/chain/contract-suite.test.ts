import assert from "node:assert/strict";
import { JsonRpcProvider } from "ethers";
import { developmentWallet as wallet } from "../../demo/development-wallet.ts";
import { describe, it } from "mocha";
import { connectReader, connectWriter } from "../../chain/connect.ts";
import { deployTask } from "../../chain/deploy.ts";
import { fromHex } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import type { SuiteChain } from "../support/contract-scene.ts";
import { MemoryChain } from "../support/memory-chain/chain.ts";
import { memoryReader } from "../support/memory-chain/reader.ts";
import { memoryWriter } from "../support/memory-chain/writer.ts";
import { serveChain } from "../support/rpc-server.ts";
import { KEYS_BLOB, openChain, setNextTime } from "../support/task-on-chain.ts";
import { contractSuite } from "./contract-suite.ts";
import type { Trace } from "./contract-suite.ts";

const CHAIN_ID = 31_337n;

/** @param deployed the identities of what is deployed, in order */
async function openCompiled(deployed: Hex[]): Promise<SuiteChain> {
  const connection = await openChain();
  const server = await serveChain(connection);
  const provider = new JsonRpcProvider(server.url, CHAIN_ID, { staticNetwork: true, cacheTimeout: -1 });
  return {
    deploy: async (parameters) => {
      const operator = wallet(0);
      const to = operator.connect(provider);
      const { contract } = await deployTask(to, parameters, fromHex(KEYS_BLOB), operator.address);
      const { context } = await connectReader({ rpc: server.url, contract, chainId: CHAIN_ID, confirmations: 0 });
      deployed.push(context.deployment);
      return contract;
    },
    writer: (contract, account) =>
      connectWriter({ rpc: server.url, contract, chainId: CHAIN_ID, confirmations: 0, wallet: wallet(account) }),
    setNextTime: (seconds) => setNextTime(connection, BigInt(seconds)),
    close: async () => {
      provider.destroy();
      await server.close();
      await connection.close();
    },
  };
}

/** @param identities of the contracts that were deployed in the place of these, in order */
async function openMemory(identities: Hex[]): Promise<SuiteChain> {
  const chain = new MemoryChain(CHAIN_ID);
  return {
    deploy: async (parameters) => {
      const operator = wallet(0).address.toLowerCase() as Hex;
      return chain.deploy(parameters, operator, fromHex(KEYS_BLOB), identities.shift());
    },
    writer: async (contract, account) => memoryWriter(chain, memoryReader(chain, contract, 0), wallet(account)),
    setNextTime: async (seconds) => chain.setTime(seconds),
    close: async () => undefined,
  };
}

describe("a task's contract", function () {
  this.timeout(120_000);
  const [compiled, memory]: [Trace, Trace] = [new Map(), new Map()];
  const identities: Hex[] = [];

  describe("compiled, on a chain in this process", () => contractSuite(() => openCompiled(identities), compiled));
  describe("in memory, for the tests of roles", () => contractSuite(() => openMemory(identities), memory));

  // In a block of its own: mocha runs a block's own tests before the blocks inside it.
  describe("after both", () =>
    it("said in memory, after every call, what the compiled one said", () => {
      assert.ok(compiled.size > 10);
      assert.deepEqual([...memory.keys()], [...compiled.keys()]);
      for (const [test, seen] of compiled) assert.deepEqual(memory.get(test), seen, test);
    }));
});
