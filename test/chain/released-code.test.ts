import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { getCreateAddress, JsonRpcProvider } from "ethers";
import { after, afterEach, before, describe, it } from "mocha";
import type { NetworkConnection } from "hardhat/types/network";
import { checkIdentity } from "../../auditor/identity.ts";
import { connectReader } from "../../chain/connect.ts";
import { deployTask, groupDeploymentData } from "../../chain/deploy.ts";
import { RELEASED_CODE } from "../../chain/generated/released-code.ts";
import type { TaskReader } from "../../chain/task-chain.ts";
import { developmentWallet } from "../../demo/development-wallet.ts";
import { fromHex, toHex } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { generateReleasedCode, RELEASED_CODE_FILE } from "../../scripts/generate-released-code.ts";
import { openTask } from "../../task/open-task.ts";
import { rejectsCode } from "../support/errors.ts";
import { openMemoryTask } from "../support/memory-chain.ts";
import { serveChain } from "../support/rpc-server.ts";
import type { RpcServer } from "../support/rpc-server.ts";
import { KEYS_BLOB, openChain, PARAMETERS } from "../support/task-on-chain.ts";

type Tamper = (code: Uint8Array) => Uint8Array;

describe("the code of a task's contracts", function () {
  this.timeout(60_000);
  let connection: NetworkConnection;
  let server: RpcServer;
  let reader: TaskReader;
  let contract: Hex;
  let group: Hex;
  const replaced = new Map<Hex, string>();

  before(async () => {
    connection = await openChain();
    server = await serveChain(connection);
    const provider = new JsonRpcProvider(server.url, 31_337n, { staticNetwork: true, cacheTimeout: -1 });
    const operator = developmentWallet(0).connect(provider);
    ({ contract } = await deployTask(operator, PARAMETERS, fromHex(KEYS_BLOB), operator.address));
    const sent = await operator.sendTransaction({ data: await groupDeploymentData(2, operator.address) });
    group = (await sent.wait())!.contractAddress!.toLowerCase() as Hex;
    provider.destroy();
    reader = await connectReader({ rpc: server.url, contract, confirmations: 0 });
  });
  afterEach(async () => {
    for (const [address, code] of replaced) await connection.provider.request(setCode(address, code));
    replaced.clear();
  });
  after(async () => {
    await server.close();
    await connection.close();
  });

  const setCode = (address: Hex, code: string): { readonly method: string; readonly params: unknown[] } => ({
    method: "hardhat_setCode",
    params: [address, code],
  });
  const tamper = async (address: Hex, change: Tamper): Promise<void> => {
    const code = (await connection.provider.request({ method: "eth_getCode", params: [address, "latest"] })) as Hex;
    replaced.set(address, code);
    await connection.provider.request(setCode(address, toHex(change(fromHex(code)))));
  };
  /** What the contract created, in order: keys, verifier, lists or parameters. */
  const created = (nonce: number): Hex => getCreateAddress({ from: contract, nonce }).toLowerCase() as Hex;
  const flipped =
    (place: number): Tamper =>
    (code) =>
      code.map((byte, i) => (i === place ? byte ^ 1 : byte));
  /** The last byte of an immutable's word, in all of its places or in one. */
  const immutable =
    (places: readonly number[], count = places.length): Tamper =>
    (code) =>
      places.slice(0, count).reduce((changed, place) => flipped(place + 31)(changed), code);

  it("is the release's where a task was deployed by it, and its group", async () => {
    await reader.requireReleasedCode();
    assert.equal((await reader.cellGroup(group)).cellCount, 2);
  });

  it("is what the build compiled", async () => {
    const file = await readFile(new URL(`../../${RELEASED_CODE_FILE}`, import.meta.url), "utf8");
    assert.deepEqual(generateReleasedCode(), { [RELEASED_CODE_FILE]: file }, "run npm run build and npm run generate");
  });

  const { Verisum } = RELEASED_CODE;
  for (const [what, address, change] of [
    ["one byte of it is another", () => contract, flipped(9)],
    ["it demands fewer signatures than its parameters", () => contract, immutable(Verisum.immutables._threshold)],
    ["one place demands fewer", () => contract, immutable(Verisum.immutables._threshold, 1)],
    ["another account verifies proofs", () => contract, immutable(Verisum.immutables.verifier)],
    ["another account keeps its lists", () => contract, immutable(Verisum.immutables.lists)],
    ["something is appended", () => contract, (code: Uint8Array) => Uint8Array.of(...code, 0)],
    ["it is cut off", () => contract, (code: Uint8Array) => code.slice(0, 9_000)],
  ] as readonly (readonly [string, () => Hex, Tamper])[])
    it(`is refused where ${what}`, async () => {
      await tamper(address(), change);
      await rejectsCode(reader.requireReleasedCode(), "CONTRACT_CODE_UNKNOWN");
    });

  it("is refused where one of the contracts that it created was replaced, or its data can run", async () => {
    const roles = [1, 2, 3, 4].map(created);
    let refusedOf = 0;
    for (const address of roles) {
      await tamper(address, (code) => Uint8Array.of(0x60, ...code.slice(1)).with(20, code[20]! ^ 1));
      await rejectsCode(reader.requireReleasedCode(), "CONTRACT_CODE_UNKNOWN");
      await connection.provider.request(setCode(address, replaced.get(address)!));
      refusedOf += 1;
    }
    assert.equal(refusedOf, 4);
    await reader.requireReleasedCode();
  });

  it("does not say which identity its constructor gave it: that is compared with its block", async () => {
    const parametersHash = await reader.parametersHash();
    const { number } = (await reader.deployedIn())!;
    assert.match(await checkIdentity({ chain: reader, parametersHash }), new RegExp(`hash of its block ${number}$`));
    await tamper(contract, immutable(Verisum.immutables.deployment));
    const chain = await connectReader({ rpc: server.url, contract, confirmations: 0 });
    await chain.requireReleasedCode();
    await rejectsCode(checkIdentity({ chain, parametersHash }), "CONTRACT_MISMATCH");
    server.fault = ({ id, method }) =>
      method === "eth_getTransactionCount"
        ? { status: 200, body: JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32_000, message: "pruned" } }) }
        : undefined;
    const said = await checkIdentity({ chain, parametersHash });
    server.fault = undefined;
    assert.match(said, /is not compared/);
  });

  it("is refused of a group that others could fill", async () => {
    await tamper(group, flipped(40));
    await rejectsCode(reader.cellGroup(group), "CONTRACT_CODE_UNKNOWN");
  });

  it("is asked for by whoever opens a task, before its content is fetched", async () => {
    const { operator } = await openMemoryTask();
    const refusal = new Error("another contract");
    const store = { getFile: () => assert.fail("fetched") };
    const opened = openTask({ ...operator, requireReleasedCode: () => Promise.reject(refusal) }, store as never);
    await assert.rejects(opened, refusal);
  });
});
