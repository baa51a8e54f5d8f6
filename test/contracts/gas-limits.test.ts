/**
 * Gas of every call at its largest: the largest cohort and committee, the most chunks, the longest batch. Each stays
 * below 70 % of what a transaction may use (EIP-7825). `UPDATE_GAS=1` rewrites the snapshot.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { keccak256, toUtf8Bytes, Wallet } from "ethers";
import type { ContractTransactionResponse } from "ethers";
import { artifacts } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { batchGas, largestBatch, TRANSACTION_GAS_TARGET } from "../../chain/batch-size.ts";
import { encodeChunks, encodeSigned } from "../../chain/codec.ts";
import { CHUNKS_PER_TRANSACTION } from "../../chain/large-submission.ts";
import type { SignedSubmission } from "../../chain/task-chain.ts";
import { KEYS_AHEAD } from "../../member/round-keys.ts";
import { MAX_CHUNKS, MAX_COHORT, MAX_COMMITTEE, MAX_KEYS_AHEAD } from "../../protocol/parameters.ts";
import { G1_GENERATOR } from "../../protocol/points.ts";
import { PARAMETER_WORDS } from "../../protocol/task.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import { assertGasSnapshot } from "../support/gas-snapshot.ts";
import { word } from "../support/random.ts";
import {
  as,
  deployTask,
  excludedOf,
  makeFinalisation,
  makeFirstStep,
  makeSubmission,
  maskOf,
  openChain,
  openRound,
  registerAll,
  roundOf,
  sendFinalisation,
  setNextTime,
  settleStanding,
  signFor,
  snapshot,
  statementOf,
  statementsOf,
  submitAs,
  weightedScalar,
} from "../support/task-on-chain.ts";
import type { TaskOnChain } from "../support/task-on-chain.ts";

/** EIP-7825. */
const TRANSACTION_GAS_CAP = 16_777_216;
/** EIP-170 allows 24,576. */
const RUNTIME_LIMIT_BYTES = 22_000;
/** EIP-3860. */
const CREATION_LIMIT_BYTES = 49_152;
/** Of the constructor, in words: three for itself, parameters with 1,200 chunks, and the keys of three kinds. */
const MOST_ARGUMENT_BYTES = 32 * (3 + 1 + PARAMETER_WORDS.length + 3 + Math.ceil(MAX_CHUNKS / 32) + 1 + 10 + 3 * 22);
/** Per client, in a batch of twenty with one chunk each, in a running task: a record's first slot costs 17,100 once. */
const BATCH_OF_TWENTY_LIMIT = 150_000;
const COMMITTEE = { committeeSize: 5, threshold: 2, quorum: 4 } as const;
const LARGEST_COMMITTEE = { committeeSize: MAX_COMMITTEE, threshold: 11, quorum: 21 } as const;

interface Made {
  readonly signed: SignedSubmission;
  readonly commitmentScalar: bigint;
}

describe("gas at the limits", function () {
  this.timeout(600_000);
  let connection: NetworkConnection;
  const measured: Record<string, number> = {};
  const used = async (call: Promise<ContractTransactionResponse>): Promise<number> =>
    Number((await (await call).wait())!.gasUsed);

  before(async () => {
    connection = await openChain();
  });
  after(() => connection.close());

  const wallet = (name: string): Wallet => new Wallet(keccak256(toUtf8Bytes(name)));
  /** Clients that need no ether: they sign, and others send. */
  async function registerSigners(task: TaskOnChain, count: number, weight: (i: number) => number): Promise<Wallet[]> {
    const signers = Array.from({ length: count }, (_, i) => wallet(`client ${i}`));
    for (const [i, { address }] of signers.entries()) await task.verisum["registerClient"]!(address, weight(i));
    return signers;
  }
  async function make(task: TaskOnChain, client: Wallet): Promise<Made> {
    const { submission, commitmentScalar } = await makeSubmission(task, client, "limits");
    return { signed: await signFor(task, client, submission), commitmentScalar };
  }
  function batch(
    task: TaskOnChain,
    made: readonly Made[],
    gasLimit = TRANSACTION_GAS_CAP,
  ): Promise<ContractTransactionResponse> {
    return as(task, task.stranger)["submitBatch"]!(
      1n,
      made.map(({ signed }) => encodeSigned(signed)),
      { gasLimit },
    );
  }
  const chunksOf = (count: number): Partial<TaskParameters> => ({
    ...COMMITTEE,
    chunkKinds: Array<number>(count).fill(0),
    dimension: count * 588,
  });

  it("of a submission grows by its chunks, and one transaction carries what the adapter sends in one", async () => {
    for (const count of [22, 64, CHUNKS_PER_TRANSACTION]) {
      const task = await deployTask(connection, chunksOf(count));
      await registerAll(task, [1, 1, 1]);
      await openRound(task);
      measured[`submit, ${count} chunks`] = Number((await submitAs(task, 0)).receipt.gasUsed);
    }
  });

  it("of a step is that of its chunks, with as many chunks as a task can have", async () => {
    const task = await deployTask(connection, chunksOf(MAX_CHUNKS));
    measured[`deploy, ${MAX_CHUNKS} chunks`] = Number((await task.verisum.deploymentTransaction()!.wait())!.gasUsed);
    await registerAll(task, [1, 1, 1]);
    await openRound(task);
    const client = task.clients[0]!;
    const { head, chunks } = await makeFirstStep(task, client, CHUNKS_PER_TRANSACTION, {
      commitment: G1_GENERATOR,
      sharesCid: word("cid"),
      shareHashes: [],
    });
    const start = { count: 0n, wires: word("no matter"), h: 0n, y: 0n, zPower: 0n };
    measured[`proveChunks, ${CHUNKS_PER_TRANSACTION} of ${MAX_CHUNKS}`] = await used(
      as(task, client)["proveChunks"]!(1n, head, start, encodeChunks(chunks)),
    );
  });

  it("of a batch is at most 150,000 a client for twenty, and a transaction holds as many as are sent", async () => {
    const task = await deployTask(connection, { ...COMMITTEE });
    const clients = await registerSigners(task, 170, () => 1);
    for (const member of task.members) await task.verisum["registerMember"]!(member.address);
    await openRound(task);
    const made: Made[] = [];
    for (const client of clients) made.push(await make(task, client));
    const restore = await snapshot(connection);
    for (const count of [2, 5, 20]) {
      measured[`batch of ${count}, per client, first round`] = (await used(batch(task, made.slice(0, count)))) / count;
      await restore();
    }
    const hundred = await used(batch(task, made.slice(0, 100)));
    await restore();
    const target = largestBatch(1, COMMITTEE);
    measured[`batch of ${target}`] = await used(batch(task, made.slice(0, target)));
    assert.ok(batchGas(target, 1, COMMITTEE) >= measured[`batch of ${target}`]!, "the estimate is not below the truth");
    await restore();
    // The cap itself, from the growth between two measurements.
    const growth = (measured[`batch of ${target}`]! - hundred) / (target - 100);
    let most = 100 + Math.floor((TRANSACTION_GAS_CAP - hundred) / growth);
    for (; ; most--) {
      const gas = await used(batch(task, made.slice(0, most))).catch(() => undefined);
      await restore();
      if (gas === undefined) continue;
      measured[`batch of ${most}, the most a transaction holds`] = gas;
      break;
    }
    await assert.rejects(used(batch(task, made.slice(0, most + 1))));
    await restore();
    // A running task pays less: its slots are in use.
    await used(batch(task, made.slice(0, 20)));
    await setNextTime(connection, (await roundOf(task)).deadline + BigInt(task.parameters.attestSeconds));
    await task.verisum["abort"]!(1n);
    await openRound(task);
    const later: SignedSubmission[] = [];
    for (const client of clients.slice(0, 20)) later.push((await make(task, client)).signed);
    measured["batch of 20, per client, later round"] =
      (await used(as(task, task.stranger)["submitBatch"]!(2n, later.map(encodeSigned)))) / 20;
    assert.ok(measured["batch of 20, per client, later round"] <= BATCH_OF_TWENTY_LIMIT);
  });

  it("of a round with the largest cohort and committee, and as many clients left out as can be", async () => {
    const task = await deployTask(connection, { ...LARGEST_COMMITTEE, minClients: 129, minHonest: 2, maxCorrupt: 127 });
    const [funder] = await connection.ethers.getSigners();
    const members = Array.from({ length: MAX_COMMITTEE }, (_, i) =>
      wallet(`member ${i}`).connect(connection.ethers.provider),
    );
    for (const { address } of members) {
      await funder!.sendTransaction({ to: address, value: 10n ** 18n });
      await task.verisum["registerMember"]!(address);
    }
    const weights = Array.from({ length: MAX_COHORT }, (_, i) => (i === 0 ? 1 : 2));
    const clients = await registerSigners(task, MAX_COHORT, (i) => weights[i]!);
    const keys = (member: number, count: number): string[] =>
      Array.from({ length: count }, (_, i) => word(`key ${member} ${i}`));
    for (const [i, member] of members.entries())
      measured[`registerRoundKeys, ${KEYS_AHEAD} keys`] = await used(
        as(task, member)["registerRoundKeys"]!(1n, keys(i, KEYS_AHEAD)),
      );
    measured["registerRoundKeys, as far ahead as it goes"] = await used(
      as(task, members[0]!)["registerRoundKeys"]!(BigInt(KEYS_AHEAD + 1), keys(0, MAX_KEYS_AHEAD - KEYS_AHEAD)),
    );
    measured["openRound"] = await used(task.verisum["openRound"]!());
    const made: Made[] = [];
    for (const client of clients) made.push(await make(task, client));
    const size = largestBatch(1, LARGEST_COMMITTEE);
    for (let i = 0; i < made.length; i += size) {
      const part = made.slice(i, i + size);
      const gas = await used(batch(task, part));
      assert.ok(gas <= batchGas(part.length, 1, LARGEST_COMMITTEE));
      if (i === 0) measured[`batch of ${size}, ${MAX_COMMITTEE} members`] = gas;
    }
    const included = (1n << 129n) - 1n;
    const whole = { ...task, members };
    const seats = members.map((_, i) => i + 1);
    const restore = await snapshot(connection);
    const missed = await statementsOf(whole, included);
    measured[`settle, proposing, ${MAX_COMMITTEE} statements`] = await used(
      task.verisum["settle"]!(1n, missed, maskOf(seats), []),
    );
    await setNextTime(connection, (await roundOf(task)).deadline);
    const excluded = await excludedOf(
      task,
      Array.from({ length: 127 }, (_, i) => 129 + i),
    );
    measured["settle, 127 excluded of 256"] = await used(settleStanding(task, excluded));
    await restore();
    const refused = ((1n << 127n) - 1n) << 129n;
    const refusing = await Promise.all(seats.map((seat) => statementOf(whole, seat, included, refused)));
    measured[`settle, 127 refused of 256, ${MAX_COMMITTEE} statements`] = await used(
      task.verisum["settle"]!(1n, refusing, maskOf(seats), excluded),
    );
    const sum = weightedScalar(
      made.slice(0, 129).map(({ commitmentScalar }) => commitmentScalar),
      weights,
    );
    const finalisation = await makeFinalisation(whole, sum, seats);
    measured[`finalize and open, ${MAX_COMMITTEE} releases, ${MAX_COMMITTEE} signatures`] = await used(
      sendFinalisation(task, finalisation),
    );
  });

  it("is below 70 % of a transaction's for every call, and near the snapshot", () => {
    for (const [name, gas] of Object.entries(measured)) {
      if (!name.includes("the most")) assert.ok(gas < TRANSACTION_GAS_TARGET, `${name}: ${gas}`);
    }
    assertGasSnapshot("gas-limits.json", measured);
  });

  it("is not bought with code beyond the limit of a contract", async () => {
    for (const name of ["Verisum", "Lists", "SubmissionVerifier", "CellGroup"]) {
      const { deployedBytecode, bytecode } = await artifacts.readArtifact(name);
      const [runtime, creation] = [deployedBytecode, bytecode].map((code) => (code.length - 2) / 2);
      assert.ok(runtime! > 0 && runtime! <= RUNTIME_LIMIT_BYTES, `${name}: ${runtime}`);
      assert.ok(creation! <= CREATION_LIMIT_BYTES - MOST_ARGUMENT_BYTES, `${name}: ${creation}`);
    }
  });
});
