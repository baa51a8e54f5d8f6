/** What each call says to those who read the chain by its events: nothing more, nothing less, in this order. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import type { ContractTransactionResponse } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { G1_GENERATOR, multiplyG1 } from "../../protocol/points.ts";
import { settlementOf } from "../../protocol/transcript.ts";
import { eventsOf } from "../support/events-of.ts";
import { word } from "../support/random.ts";
import {
  as,
  deployTask,
  excludedOf,
  makeFinalisation,
  makeSubmission,
  openChain,
  roundOf,
  sendFinalisation,
  sendSubmission,
  setNextTime,
  settleStanding,
  statementsOf,
  weightedScalar,
} from "../support/task-on-chain.ts";
import type { TaskOnChain, VerisumInstance } from "../support/task-on-chain.ts";

const WEIGHTS = [1, 2, 3, 4];
const BOND = 10n ** 15n;

describe("the events", function () {
  this.timeout(60_000);
  let connection: NetworkConnection;
  let task: TaskOnChain;
  before(async () => {
    connection = await openChain();
    task = await deployTask(connection);
  });
  after(() => connection.close());

  const account = (signer: { readonly address: string }): VerisumInstance =>
    as(task, signer as TaskOnChain["stranger"]);
  /** A submission and a result are left to their own tests. */
  async function says(sent: Promise<ContractTransactionResponse>, ...events: unknown[][]): Promise<void> {
    assert.deepEqual(await eventsOf(sent), events);
  }
  const deadline = async (): Promise<bigint> => (await roundOf(task)).deadline;
  /** Sends at this time, so that deadlines are known. */
  async function at(
    time: bigint,
    call: () => Promise<ContractTransactionResponse>,
  ): Promise<ContractTransactionResponse> {
    await setNextTime(connection, time);
    return call();
  }

  it("tell a round from its members to its model", async () => {
    const { verisum, members, clients, stranger } = task;
    for (const [i, { address }] of members.entries())
      await says(verisum["registerMember"]!(address), ["MemberRegistered", BigInt(i + 1), address, 0n]);
    for (const [i, weight] of WEIGHTS.entries())
      await says(verisum["registerClient"]!(clients[i]!.address, weight), [
        "ClientRegistered",
        clients[i]!.address,
        BigInt(weight),
        1n,
      ]);
    for (const [i, member] of members.entries()) {
      const keys = [word(`first ${i}`), word(`second ${i}`)];
      await says(account(member)["registerRoundKeys"]!(1, keys), ["RoundKeysRegistered", BigInt(i + 1), 1n, keys]);
    }
    const start = BigInt((await connection.ethers.provider.getBlock("latest"))!.timestamp) + 100n;
    const { genesisCid, genesisDigest } = task.parameters;
    await says(
      at(start, () => account(stranger)["openRound"]!()),
      ["RoundOpened", 1n, 0n, genesisCid, genesisDigest, start + 600n, 15n],
    );

    const scalars: bigint[] = [];
    for (const [i, weight] of WEIGHTS.entries()) {
      const client = clients[i]!;
      const made = await makeSubmission(task, client, "events");
      scalars.push(made.commitmentScalar);
      const time = start + 10n * BigInt(i + 1);
      const [submitted, ...others] = await eventsOf(at(time, () => sendSubmission(task, client, made.submission)));
      assert.deepEqual(submitted!.slice(0, 5), ["Submitted", 1n, client.address, BigInt(i), BigInt(weight)]);
      // The last one ends the phase without a word.
      assert.deepEqual(others, []);
    }

    const statements = await statementsOf(task, 0b0111n, [1, 2, 3]);
    const { intake } = await roundOf(task);
    await says(verisum["settle"]!(1, statements, 0b0111n, []), ["Proposed", 1n, 0b0111n, 0b0111n]);
    const scalar = weightedScalar(scalars.slice(0, 3), WEIGHTS.slice(0, 3));
    const excluded = await excludedOf(task, [3]);
    const sum = multiplyG1(G1_GENERATOR, scalar);
    const settlement = settlementOf({ round: 1n, intake, included: 0b0111n, totalWeight: 6, sum });
    const end = await deadline();
    await says(
      at(end, () => settleStanding(task, excluded)),
      ["Settled", 1n, settlement, intake, 0b0111n, 0b0111n, 6n, [sum.x, sum.y]],
    );
    assert.equal(await deadline(), end + 900n);

    const final = await makeFinalisation(task, scalar, [1, 4]);
    const { modelCid, modelDigest } = final.result;
    await says(
      at(end + 500n, () => sendFinalisation(task, final)),
      [
        "Finalised",
        1n,
        settlement,
        Object.values(final.result),
        final.evaluation,
        [final.opening.x, final.opening.y],
        final.releases.flatMap(({ seat, releaseCid, signature }) => [BigInt(seat), releaseCid, ...signature]),
        0b1001n,
        final.signatures.flat(),
      ],
      ["RoundOpened", 2n, 1n, modelCid, modelDigest, end + 1_100n, 15n],
    );
    await says(
      at(end + 1_100n, () => verisum["abort"]!(2)),
      ["Aborted", 2n, 1n],
    );
  });

  it("tell who joins, leaves, takes a bond back and announces an endpoint", async () => {
    const open = await deployTask(connection, {
      openRegistration: true,
      bondWei: BOND,
      uniformWeights: true,
      maxWeight: 1,
    });
    const client = open.clients[0]!;
    const own = as(open, client);
    await says(own["join"]!({ value: BOND }), ["ClientRegistered", client.address, 1n, 1n]);
    await says(own["removeClient"]!(client.address), ["ClientLeft", client.address, 1n]);
    await says(own["withdrawBond"]!(), ["BondWithdrawn", client.address, BOND]);
    await says(own["announce"]!("http://node.example"), ["EndpointAnnounced", client.address, "http://node.example"]);
  });

  it("tell that a round ended by time", async () => {
    const other = await deployTask(connection);
    task = other;
    for (const { address } of other.members) await other.verisum["registerMember"]!(address);
    for (const { address } of other.clients.slice(0, 4)) await other.verisum["registerClient"]!(address, 1);
    for (const member of other.members)
      await account(member)["registerRoundKeys"]!(1, [word(member.address), word(`${member.address} 2`)]);
    await other.verisum["openRound"]!();
    for (const client of other.clients.slice(0, 3))
      await sendSubmission(other, client, (await makeSubmission(other, client, "time")).submission);
    // Collecting becomes Attesting without an event.
    const end = (await deadline()) + 300n;
    const { genesisCid, genesisDigest } = other.parameters;
    await says(
      at(end, () => other.verisum["openRound"]!()),
      ["Aborted", 1n, 2n],
      ["RoundOpened", 2n, 0n, genesisCid, genesisDigest, end + 600n, 15n],
    );
  });
});
