import assert from "node:assert/strict";
import { Interface, JsonRpcProvider } from "ethers";
import { developmentWallet as wallet } from "../../demo/development-wallet.ts";
import { after, afterEach, before, describe, it } from "mocha";
import type { NetworkConnection } from "hardhat/types/network";
import { connectReader, connectWriter } from "../../chain/connect.ts";
import type { ConnectOptions } from "../../chain/connect.ts";
import { deployTask } from "../../chain/deploy.ts";
import { checkStatement, recoverStatementSigner } from "../../chain/statement-signatures.ts";
import type { TaskWriter } from "../../chain/task-chain.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import { layoutOfTask, parametersHash } from "../../protocol/task.ts";
import { fromHex, resultPoint } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { rejectsCode } from "../support/errors.ts";
import { seededRandom, word } from "../support/random.ts";
import { serveChain } from "../support/rpc-server.ts";
import type { RpcServer } from "../support/rpc-server.ts";
import { KEYS_BLOB, openChain, PARAMETERS, SECRETS, weightedScalar } from "../support/task-on-chain.ts";
import { simulateOpening, simulateSubmission } from "../support/trapdoor-keys.ts";

const CHAIN_ID = 31_337n;

describe("the chain adapter", function () {
  this.timeout(60_000);
  let connection: NetworkConnection;
  let server: RpcServer;
  let options: ConnectOptions;
  let operator: TaskWriter;
  const as = (index: number): Promise<TaskWriter> => connectWriter({ ...options, wallet: wallet(index) });

  before(async () => {
    connection = await openChain();
    server = await serveChain(connection);
    const provider = new JsonRpcProvider(server.url, CHAIN_ID, { staticNetwork: true, cacheTimeout: -1 });
    const { contract, chainId } = await deployTask(
      wallet(0).connect(provider),
      PARAMETERS,
      fromHex(KEYS_BLOB),
      wallet(0).address,
    );
    provider.destroy();
    assert.equal(chainId, CHAIN_ID);
    options = { rpc: server.url, contract, chainId: CHAIN_ID, confirmations: 0 };
    operator = await as(0);
  });
  afterEach(() => {
    server.fault = undefined;
    server.alter = undefined;
  });
  after(async () => {
    await server.close();
    await connection.close();
  });

  it("reads the parameters, their hash and the keys", async () => {
    const reader = await connectReader(options);
    assert.deepEqual(await reader.parameters(), PARAMETERS);
    assert.equal(await reader.parametersHash(), parametersHash(PARAMETERS));
    assert.deepEqual(await reader.verificationKeys(), fromHex(KEYS_BLOB));
    assert.equal(await reader.operator(), wallet(0).address.toLowerCase());
  });

  it("refuses another chain, an address without a contract and an endpoint that is not there", async () => {
    await rejectsCode(connectReader({ ...options, chainId: 1n }), "CHAIN_WRONG_NETWORK");
    await rejectsCode(connectReader({ ...options, contract: `0x${"12".repeat(20)}` }), "CHAIN_NO_CONTRACT");
    await rejectsCode(connectReader({ ...options, rpc: "http://127.0.0.1:1" }), "CHAIN_UNREACHABLE");
  });

  it("does not take one answer's word for which chain it is on", async () => {
    let answers = 0;
    server.alter = ({ method }, result) => (method === "eth_chainId" && answers++ === 0 ? "0x1" : result);
    const { chainId: _, ...unsaid } = options;
    const { context } = await connectReader(unsaid);
    assert.equal(context.chainId, CHAIN_ID);
    assert.ok(answers > 1);
    server.alter = ({ method }, result) => (method === "eth_chainId" ? `0x${(answers++).toString(16)}` : result);
    await rejectsCode(connectReader(unsaid), "CHAIN_UNREACHABLE");
  });

  for (const [behaviour, code] of [
    ["refuses", "60006000fd"],
    ["answers with nothing", "00"],
  ] as const)
    it(`refuses a contract that ${behaviour} when asked for its deployment, as an earlier version does`, async () => {
      const size = (code.length / 2).toString(16).padStart(2, "0");
      const creation = `0x60${size}600c60003960${size}6000f3${code}`;
      const ask = (method: string, params: unknown[]): Promise<unknown> =>
        connection.provider.request({ method, params });
      const hash = await ask("eth_sendTransaction", [{ from: wallet(0).address, data: creation }]);
      const { contractAddress } = (await ask("eth_getTransactionReceipt", [hash])) as { contractAddress: Hex };
      await rejectsCode(connectReader({ ...options, contract: contractAddress }), "CONTRACT_MISMATCH");
    });

  it("repeats requests that fail in passing, and gives up by name", async () => {
    const reader = await connectReader(options);
    let failures = 2;
    server.fault = ({ method }) =>
      method === "eth_call" && failures-- > 0 ? { status: 503, body: "busy" } : undefined;
    assert.equal(await reader.clientCount(), 0);
    server.fault = ({ method }) =>
      method === "eth_call" ? { status: 200, body: '{"jsonrpc":"2.0","id":1,"resu' } : undefined;
    await rejectsCode(reader.clientCount(), "CHAIN_UNREACHABLE");
  });

  it("names the contract's error with its evidence, and sends the next call nevertheless", async () => {
    const stranger = await as(9);
    const refused = stranger.openRound();
    const next = stranger.announce("http://stranger.example");
    await assert.rejects(refused, (error) => {
      assert.ok(isVerisumError(error, "CHAIN_REVERTED"));
      assert.equal(error.details["error"], "VerisumCommitteeIncomplete");
      assert.deepEqual(error.details["arguments"], ["registered=0", "seats=4"]);
      return true;
    });
    await next;
    assert.equal((await stranger.endpoints()).get(stranger.account), "http://stranger.example");
  });

  it("carries a round from registration to its result, with each event once", async () => {
    const members = await Promise.all([1, 2, 3, 4].map(as));
    const clients = await Promise.all([5, 6, 7].map(as));
    await Promise.all([
      ...members.map(({ account }) => operator.registerMember(account)),
      ...clients.map(({ account }, i) => operator.registerClient(account, i + 1)),
    ]);
    assert.deepEqual(
      await operator.members(),
      members.map(({ account }) => account),
    );
    await Promise.all(members.map((member, i) => member.registerRoundKeys(1n, [word(`key ${i}`)])));
    assert.equal(await operator.roundKey(1n, 2), word("key 1"));
    await operator.openRound();

    const scalars: bigint[] = [];
    for (const [i, client] of clients.entries()) {
      const made = simulateSubmission(
        SECRETS,
        { layout: layoutOfTask(PARAMETERS), committeeSize: 4, threshold: 2 },
        {
          ...client.context,
          round: 1n,
          client: client.account,
          weight: i + 1,
          baseModelDigest: PARAMETERS.genesisDigest,
          base: 0n,
          normBoundSquared: PARAMETERS.normBoundSquared,
        },
        seededRandom(`adapter ${i}`),
      );
      await client.submit(1n, made.submission);
      scalars.push(made.commitmentScalar);
      const records = await client.records(1n);
      assert.deepEqual(records.submitted.at(-1)!.submission, made.submission);
    }
    const attestation = { round: 1n, intake: (await operator.round()).intake, good: 0b111n, refused: 0n };
    const statements = await Promise.all(
      members.map(async (member, i) => ({
        ...attestation,
        seat: i + 1,
        signature: await member.signAttestation(attestation),
      })),
    );
    // In any order: the contract wants them by ascending seat.
    await operator.settle(1n, statements.toReversed(), 0b1111n, []);

    const { sum, settlement } = await operator.round();
    const result = { aggregateCid: word("a"), aggregateDigest: word("b"), modelCid: word("c"), modelDigest: word("d") };
    const signed = { ...result, round: 1n, settlement };
    const signatures = await Promise.all(
      [3, 1].map(async (seat) => ({ seat, signature: await members[seat - 1]!.signResult(signed) })),
    );
    assert.equal(
      recoverStatementSigner(operator.context, "Result", signed, signatures[0]!.signature),
      members[2]!.account,
    );
    const release = { round: 1n, settlement, releaseCid: word("release") };
    const releases = await Promise.all(
      [4, 2].map(async (seat) => ({ ...release, seat, signature: await members[seat - 1]!.signRelease(release) })),
    );
    const z = resultPoint({ ...operator.context, ...signed });
    const opening = simulateOpening(SECRETS, weightedScalar(scalars, [1, 2, 3]), z, 5n);
    await operator.finalize(1n, result, 5n, opening, releases, signatures);

    const reader = await connectReader(options);
    const [first, again] = await Promise.all([reader.records(1n), reader.records(1n)]);
    assert.deepEqual(first, again);
    assert.deepEqual(
      first.submitted.map(({ index, weight }) => [index, weight]),
      [
        [0, 1],
        [1, 2],
        [2, 3],
      ],
    );
    assert.deepEqual(
      first.finalised!.signers.map(({ seat }) => seat),
      [1, 3],
    );
    assert.deepEqual(first.finalised!.result, result);
    assert.deepEqual(first.settled!.sum, sum);
    assert.deepEqual([first.settled!.members, first.settled!.intake], [0b1111n, attestation.intake]);
    assert.deepEqual([first.released, first.aborted], [releases.toReversed(), false]);
    // Whoever reads the events can check what the contract checked.
    const accounts = await reader.members();
    for (const found of first.released) checkStatement(reader.context, accounts, "Release", found);
    for (const { seat, signature } of first.finalised!.signers)
      checkStatement(reader.context, accounts, "Result", { ...signed, seat, signature });
    assert.deepEqual(await reader.latestModel(), { round: 1n, cid: word("c"), digest: word("d") });
  });

  it("passes over an endpoint that is no text: anybody may announce anything", async () => {
    const stranger = await as(11);
    const before = await stranger.endpoints();
    const data = new Interface(["function announce(bytes endpoint)"]).encodeFunctionData("announce", ["0xff80"]);
    const selector = new Interface(["function announce(string endpoint)"]).getFunction("announce")!.selector;
    const provider = new JsonRpcProvider(server.url, CHAIN_ID, { staticNetwork: true, cacheTimeout: -1 });
    await (
      await wallet(11)
        .connect(provider)
        .sendTransaction({ to: options.contract, data: `${selector}${data.slice(10)}` })
    ).wait();
    provider.destroy();
    assert.deepEqual(await stranger.endpoints(), before);
  });

  it("sorts events and drops repeated ones, whatever the endpoint returns", async () => {
    const honest = await (await connectReader(options)).records(1n);
    server.alter = ({ method }, result) =>
      method === "eth_getLogs" ? [...(result as unknown[]).toReversed(), ...(result as unknown[])] : result;
    assert.deepEqual(await (await connectReader(options)).records(1n), honest);
  });

  it("asks for smaller ranges where an endpoint refuses large ones", async () => {
    const { finalBlock, ...honest } = await (await connectReader(options)).records(1n);
    for (let i = 0; i < 6; i++) await connection.provider.request({ method: "hardhat_mine", params: ["0x7530"] });
    const span = ({ params }: { params: unknown[] }): number => {
      const { fromBlock, toBlock } = params[0] as { fromBlock: Hex; toBlock: Hex };
      return Number(toBlock) - Number(fromBlock);
    };
    server.fault = (request) =>
      request.method === "eth_getLogs" && span(request) > 30_000
        ? {
            status: 200,
            body: JSON.stringify({
              jsonrpc: "2.0",
              id: (request as { id: number }).id,
              error: { code: -32_005, message: "range too large" },
            }),
          }
        : undefined;
    const { finalBlock: later, ...seen } = await (await connectReader(options)).records(1n);
    assert.deepEqual(seen, honest);
    assert.ok(later > finalBlock);
  });
});
