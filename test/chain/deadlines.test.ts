import assert from "node:assert/strict";
import { JsonRpcProvider } from "ethers";
import { developmentWallet as wallet } from "../../demo/development-wallet.ts";
import { after, afterEach, before, describe, it } from "mocha";
import type { NetworkConnection } from "hardhat/types/network";
import { connectWriter } from "../../chain/connect.ts";
import { deployTask } from "../../chain/deploy.ts";
import type { AttestationStatement, Receipt, TaskWriter } from "../../chain/task-chain.ts";
import type { Submission } from "../../protocol/submission.ts";
import { layoutOfTask } from "../../protocol/task.ts";
import { fromHex } from "../../protocol/transcript.ts";
import { rejectsCode } from "../support/errors.ts";
import { seededRandom, word } from "../support/random.ts";
import { serveChain } from "../support/rpc-server.ts";
import type { RpcServer } from "../support/rpc-server.ts";
import { KEYS_BLOB, openChain, PARAMETERS, SECRETS, setNextTime } from "../support/task-on-chain.ts";
import { simulateSubmission } from "../support/trapdoor-keys.ts";

const CHAIN_ID = 31_337n;
const ROUNDS = 3;

describe("a call that is not mined before its phase's deadline", function () {
  this.timeout(120_000);
  let connection: NetworkConnection;
  let server: RpcServer;
  let operator: TaskWriter;
  let members: readonly TaskWriter[];
  let clients: readonly TaskWriter[];
  const ask = (method: string, ...params: unknown[]): Promise<unknown> =>
    connection.provider.request({ method, params });

  before(async () => {
    connection = await openChain();
    server = await serveChain(connection);
    const provider = new JsonRpcProvider(server.url, CHAIN_ID, { staticNetwork: true, cacheTimeout: -1 });
    const deployer = wallet(0).connect(provider);
    const { contract } = await deployTask(deployer, PARAMETERS, fromHex(KEYS_BLOB), deployer.address);
    provider.destroy();
    const as = (index: number): Promise<TaskWriter> =>
      connectWriter({ rpc: server.url, contract, chainId: CHAIN_ID, confirmations: 0, wallet: wallet(index) });
    operator = await as(0);
    members = await Promise.all([1, 2, 3, 4].map(as));
    clients = await Promise.all([5, 6, 7, 8].map(as));
    for (const member of members) {
      await operator.registerMember(member.account);
      const keys = Array.from({ length: ROUNDS }, (_, i) => word(`key ${member.account} ${i}`));
      await member.registerRoundKeys(1n, keys);
    }
    for (const { account } of clients) await operator.registerClient(account, 1);
  });
  afterEach(() => ask("evm_setAutomine", true));
  after(async () => {
    await server.close();
    await connection.close();
  });

  it("is given up where only a block before it could take it, as a submission is, and the round is aborted", async () => {
    await operator.openRound();
    const [client] = clients;
    await rejectsCode(
      lost(() => client!.submit(1n, submissionOf(client!, 1n))),
      "CHAIN_TRANSACTION_LOST",
    );
    assert.equal((await client!.round()).phase, "Collecting");
    await client!.abort(1n);
  });

  it("is given up if it is a settlement with statements", async () => {
    const statements = await attestedRound(2n, 0b1111n);
    await rejectsCode(
      lost(() => operator.settle(2n, statements, 0b0111n, [])),
      "CHAIN_TRANSACTION_LOST",
    );
    assert.equal((await operator.round()).phase, "Attesting");
    await operator.abort(2n);
  });

  it("goes on if it executes the proposal that stands, which has no end", async () => {
    const statements = await attestedRound(3n, 0b0111n);
    await operator.settle(3n, statements, 0b0111n, []);
    await passDeadline();
    const { submitted } = await operator.records(3n);
    await ask("evm_setAutomine", false);
    const sent = operator.settle(3n, [], 0n, submitted.slice(3));
    await ask("hardhat_dropTransaction", await pooled());
    for (let block = 0; block < 4; block++) await ask("evm_mine");
    await pooled();
    await ask("evm_mine");
    await sent;
    assert.equal((await operator.round()).phase, "Aggregating");
  });

  /** What becomes of a call that the network forgets before the deadline passes. */
  async function lost(send: () => Promise<Receipt>): Promise<Receipt> {
    await ask("evm_setAutomine", false);
    const sent = send();
    sent.catch(() => undefined);
    await ask("hardhat_dropTransaction", await pooled());
    await passDeadline();
    await ask("evm_setAutomine", true);
    return sent;
  }

  async function passDeadline(): Promise<void> {
    await setNextTime(connection, BigInt((await operator.round()).deadline));
    await ask("evm_mine");
  }

  /** Until something waits in the pool. */
  async function pooled(): Promise<string> {
    for (;;) {
      const { transactions } = (await ask("eth_getBlockByNumber", "pending", false)) as { transactions: string[] };
      if (transactions[0] !== undefined) return transactions[0];
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Opens a round that everybody submits in. Returns what three members say of it. */
  async function attestedRound(round: bigint, good: bigint): Promise<readonly AttestationStatement[]> {
    await operator.openRound();
    for (const client of clients) await client.submit(round, submissionOf(client, round));
    const { intake } = await operator.round();
    const attestation = { round, intake, good, refused: 0n };
    return Promise.all(
      members.slice(0, 3).map(async (member, i) => ({
        ...attestation,
        seat: i + 1,
        signature: await member.signAttestation(attestation),
      })),
    );
  }

  function submissionOf(client: TaskWriter, round: bigint): Submission {
    const { genesisDigest: baseModelDigest, normBoundSquared } = PARAMETERS;
    return simulateSubmission(
      SECRETS,
      { layout: layoutOfTask(PARAMETERS), committeeSize: 4, threshold: 2 },
      {
        ...{ ...client.context, round, client: client.account, weight: 1 },
        ...{ baseModelDigest, base: 0n, normBoundSquared },
      },
      seededRandom(`${client.account} ${round}`),
    ).submission;
  }
});
