import assert from "node:assert/strict";
import { JsonRpcProvider } from "ethers";
import { developmentWallet as wallet } from "../../demo/development-wallet.ts";
import { after, before, describe, it } from "mocha";
import type { NetworkConnection } from "hardhat/types/network";
import { connectWriter } from "../../chain/connect.ts";
import { deployTask } from "../../chain/deploy.ts";
import { CHUNKS_PER_TRANSACTION } from "../../chain/large-submission.ts";
import { checkSubmissionSignature } from "../../chain/submission-signature.ts";
import type { TaskWriter } from "../../chain/task-chain.ts";
import { parseSignedSubmission, signedSubmissionBytes, signedSubmissionJson } from "../../task/signed-submission.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import type { Submission } from "../../protocol/submission.ts";
import { layoutOfTask } from "../../protocol/task.ts";
import { fromHex } from "../../protocol/transcript.ts";
import { rejectsCode, throwsCode } from "../support/errors.ts";
import { seededRandom, word } from "../support/random.ts";
import { serveChain } from "../support/rpc-server.ts";
import type { RpcServer } from "../support/rpc-server.ts";
import { KEYS_BLOB, openChain, PARAMETERS, SECRETS } from "../support/task-on-chain.ts";
import { simulateSubmission } from "../support/trapdoor-keys.ts";

const CHAIN_ID = 31_337n;
const CHUNKS = CHUNKS_PER_TRANSACTION + 2;

describe("submissions through the chain adapter", function () {
  this.timeout(120_000);
  let connection: NetworkConnection;
  let server: RpcServer;
  before(async () => {
    connection = await openChain();
    server = await serveChain(connection);
  });
  after(async () => {
    await server.close();
    await connection.close();
  });

  /** A round of a task with this many chunks, open to the accounts 5, 6 and 7. */
  async function openTask(
    chunks: number,
  ): Promise<{ readonly clients: TaskWriter[]; readonly make: (client: TaskWriter, seed: string) => Submission }> {
    const parameters = { ...PARAMETERS, chunkKinds: Array<number>(chunks).fill(0), dimension: chunks * 588 };
    const provider = new JsonRpcProvider(server.url, CHAIN_ID, { staticNetwork: true, cacheTimeout: -1 });
    const { contract } = await deployTask(
      wallet(0).connect(provider),
      parameters,
      fromHex(KEYS_BLOB),
      wallet(0).address,
    );
    provider.destroy();
    const as = (index: number): Promise<TaskWriter> =>
      connectWriter({ rpc: server.url, contract, chainId: CHAIN_ID, confirmations: 0, wallet: wallet(index) });
    const operator = await as(0);
    const clients = await Promise.all([5, 6, 7].map(as));
    for (const index of [1, 2, 3, 4]) {
      const member = await as(index);
      await operator.registerMember(member.account);
      await member.registerRoundKeys(1n, [word(`key ${index}`)]);
    }
    for (const { account } of clients) await operator.registerClient(account, 1);
    await operator.openRound();
    const make = (client: TaskWriter, seed: string): Submission =>
      simulateSubmission(
        SECRETS,
        { layout: layoutOfTask(parameters), committeeSize: 4, threshold: 2 },
        {
          ...client.context,
          round: 1n,
          client: client.account,
          weight: 1,
          baseModelDigest: parameters.genesisDigest,
          base: 0n,
          normBoundSquared: parameters.normBoundSquared,
        },
        seededRandom(seed),
      ).submission;
    return { clients, make };
  }

  it("are split when one transaction cannot carry them, and go on after a crash where the chain says", async () => {
    const {
      clients: [client],
      make,
    } = await openTask(CHUNKS);
    const submission = make(client!, "large");
    // The endpoint takes the first step and no second one: the process ends there.
    let steps = 0;
    server.fault = ({ id, method }) =>
      method === "eth_sendRawTransaction" && ++steps > 1
        ? { status: 200, body: JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32_000, message: "no more" } }) }
        : undefined;
    await rejectsCode(client!.submit(1n, submission), "CHAIN_TRANSACTION_REFUSED");
    server.fault = undefined;
    const step = (await client!.lastChunkStep(1n, client!.account))!;
    assert.equal(step.progress.count, BigInt(CHUNKS_PER_TRANSACTION));
    const { gasUsed } = await client!.submit(1n, submission);
    assert.ok(gasUsed < 1_500_000n, `the first ${CHUNKS_PER_TRANSACTION} chunks were not sent again: ${gasUsed}`);
    const { submitted } = await client!.records(1n);
    assert.deepEqual(
      submitted.map((record) => record.submission),
      [submission],
    );
    assert.equal((await client!.client(client!.account)).lastSubmittedRound, 1n);
  });

  it("are signed by their clients and sent together by anybody", async () => {
    const { clients, make } = await openTask(1);
    const signed = await Promise.all(
      clients.map(async (client, i) => client.signSubmission(1n, make(client, `signed ${i}`))),
    );
    const context = { ...clients[0]!.context, round: 1n };
    for (const item of signed) {
      checkSubmissionSignature(context, item);
      const json = signedSubmissionJson(item);
      assert.ok(json.length <= signedSubmissionBytes(1, PARAMETERS));
      assert.deepEqual(parseSignedSubmission(JSON.parse(json)), item);
    }
    throwsCode(() => checkSubmissionSignature({ ...context, round: 2n }, signed[0]!), "SIGNATURE_INVALID");
    throwsCode(
      () => checkSubmissionSignature(context, { ...signed[0]!, client: signed[1]!.client }),
      "SIGNATURE_INVALID",
    );
    throwsCode(
      () =>
        checkSubmissionSignature(context, {
          ...signed[0]!,
          signature: { ...signed[0]!.signature, vs: `0x7f${"ff".repeat(31)}` },
        }),
      "SIGNATURE_INVALID",
    );
    throwsCode(() => parseSignedSubmission({ ...signed[0], client: "0x00" }), "REQUEST_INVALID");
    const relayer = clients[2]!;
    await relayer.checkBatch(1n, signed);
    const bad = { ...signed[1]!, client: signed[0]!.client };
    await rejectsCode(relayer.checkBatch(1n, [bad]), "CHAIN_REVERTED");
    await relayer.submitBatch(1n, signed);
    const { submitted } = await relayer.records(1n);
    assert.deepEqual(
      submitted.map(({ client, submission }) => [client, submission]),
      signed.map(({ client, submission }) => [client, submission]),
    );
    const refused = await relayer.submitBatch(1n, signed).catch((error: unknown) => error);
    assert.ok(isVerisumError(refused, "CHAIN_REVERTED") && refused.details.error === "VerisumWrongPhase");
  });
});
