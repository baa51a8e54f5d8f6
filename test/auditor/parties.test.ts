import assert from "node:assert/strict";
import { beforeEach, describe, it } from "mocha";
import { ZERO_ADDRESS } from "../../chain/lists.ts";
import { partyStates } from "../../auditor/parties.ts";
import type { PartyState, TaskMoment } from "../../auditor/parties.ts";
import type { NodeStatus } from "../../task/node-status.ts";
import { createStatementBoard } from "../../task/statement-board.ts";
import type { StatementBoard } from "../../task/statement-board.ts";
import {
  finalizeMemoryRound,
  memoryAttestations,
  memoryRelease,
  memorySubmission,
  openMemoryRound,
  openMemoryTask,
  settleMemoryRound,
} from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";

const SAID: NodeStatus = {
  schemaVersion: 1,
  role: "member",
  version: "1.0.0",
  task: "a task",
  chainId: "1",
  contract: `0x${"11".repeat(20)}`,
  account: `0x${"22".repeat(20)}`,
  healthy: true,
  ready: true,
  trouble: null,
  uptimeSeconds: 1,
  lookSecondsAgo: 0,
  round: null,
  finalisedRounds: 0,
  metrics: null,
  waitsFor: { text: "the shares of 2 clients", seconds: 3 },
};

describe("what each party waits for", () => {
  let task: MemoryTask;
  let said: StatementBoard;
  beforeEach(async () => {
    task = await openMemoryTask({ parameters: { maxRounds: 1 } });
    said = createStatementBoard(task.operator);
  });

  const momentNow = async (): Promise<TaskMoment> => {
    const { operator: chain, parameters } = task;
    const { round, finalisedRounds, clientCount, records } = await chain.look();
    const [clients, members] = [await chain.clients(), await chain.members()];
    const now = await chain.blockTime();
    const moment = { parameters, round, now, records: records(round.number), said, finalisedRounds };
    return { ...moment, clients, clientCount, members };
  };
  const states = async (nodes: readonly NodeStatus[] = []): Promise<readonly PartyState[]> =>
    partyStates(await momentNow(), nodes);
  /** By party, the clients numbered. */
  const inShort = async (): Promise<Readonly<Record<string, string>>> => {
    const all = await states();
    const clients = all.filter(({ party }) => party === "client").map(({ account }) => account);
    return Object.fromEntries(
      all.map(({ party, account, state }) => [
        party === "client" ? `client ${clients.indexOf(account) + 1}` : party,
        state,
      ]),
    );
  };
  const reasonOf = async (wanted: string): Promise<string> =>
    (await states()).find(({ party }) => party === wanted)!.reason;
  const everybody = (state: string): Readonly<Record<string, string>> =>
    Object.fromEntries(
      ["aggregator", "seat 1", "seat 2", "seat 3", "seat 4", "client 1", "client 2", "client 3"].map((party) => [
        party,
        state,
      ]),
    );

  it("is the next round before one opens", async () => {
    assert.deepEqual(await inShort(), everybody("waiting"));
    assert.equal(await reasonOf("seat 3"), "round 1 to open");
    assert.match(await reasonOf("aggregator"), /the keys of 3 seats for round 1/);
  });

  it("is too few clients, and empty seats, where those are missing", async () => {
    const { operator: chain } = task;
    const moment = {
      ...(await momentNow()),
      ...{ clients: (await chain.clients()).slice(0, 1), clientCount: 1, members: (await chain.members()).slice(0, 2) },
    };
    const [operator, aggregator, ...others] = partyStates(moment);
    assert.deepEqual([operator!.party, operator!.reason], ["operator", "2 of 4 seats are empty"]);
    assert.match(aggregator!.reason, /^1 clients are registered for round 1, [2-9] needed$/);
    assert.equal(others.length, 3);
  });

  it("is clients, where one of an aborted round left too few for the next one, and nobody of an empty seat", async () => {
    const round = await openMemoryRound(task);
    await task.operator.removeClient(task.clients[0]!.account);
    await task.operator.replaceMember(3, ZERO_ADDRESS);
    task.chain.setTime((await task.operator.round()).deadline);
    await task.operator.abort(round);
    assert.equal(await reasonOf("aggregator"), "2 clients are registered for round 2, 3 needed");
    const moment = { ...(await momentNow()), members: await task.operator.members(2n) };
    const seat = partyStates(moment).find(({ party }) => party === "seat 3")!;
    assert.deepEqual([seat.state, seat.reason], ["left-out", "nobody has this seat: replace-member fills it"]);
  });

  it("is the clients that have not submitted, by account, and until when", async () => {
    const round = await openMemoryRound(task);
    await task.clients[1]!.submit(round, memorySubmission(task, "x"));
    assert.deepEqual(await inShort(), { ...everybody("waiting"), "client 1": "to-submit", "client 3": "to-submit" });
    const { deadline } = await task.operator.round();
    const until = new Date(deadline * 1000).toISOString().slice(0, 19);
    assert.ok((await reasonOf("aggregator")).startsWith(`2 of 3 clients to submit to round 1, until ${until}`));
    const late = (await states()).filter(({ state }) => state === "to-submit").map(({ account }) => account);
    assert.deepEqual(
      late,
      [task.clients[0]!, task.clients[2]!].map(({ account }) => account.toLowerCase()),
    );
  });

  it("is the seats that have not attested, then those that have not released, then the result", async () => {
    const round = await openMemoryRound(task);
    for (const client of task.clients) await client.submit(round, memorySubmission(task, client.account));
    const attestations = await memoryAttestations(task);
    await said.add({ kind: "attestation", ...attestations[0]! });
    assert.deepEqual(await inShort(), {
      ...everybody("waiting"),
      ...{ "seat 2": "to-attest", "seat 3": "to-attest", "seat 4": "to-attest" },
    });
    assert.match(await reasonOf("aggregator"), /1 members have attested, 3 are needed until [^ ]+Z$/);
    for (const attestation of attestations.slice(1, 3)) await said.add({ kind: "attestation", ...attestation });
    assert.match(await reasonOf("aggregator"), /^more attestations or the phase's end/);
    const late = { ...(await momentNow()), now: (await task.operator.round()).deadline };
    assert.match(partyStates(late)[0]!.reason, /^the settlement: the phase was over at /);
    await task.operator.settle(round, attestations, 0b1111n, []);
    assert.deepEqual(await inShort(), {
      ...everybody("waiting"),
      ...{ "seat 1": "to-release", "seat 2": "to-release", "seat 3": "to-release", "seat 4": "to-release" },
    });
    assert.match(await reasonOf("aggregator"), /^0 of 2 releases are there/);
    for (const seat of [1, 2]) await said.add({ kind: "release", ...(await memoryRelease(task, seat)) });
    assert.deepEqual(await inShort(), {
      ...everybody("waiting"),
      ...{ aggregator: "to-finalise", "seat 3": "to-release", "seat 4": "to-release" },
    });
  });

  it("is nothing once the task is complete", async () => {
    const round = await openMemoryRound(task);
    await settleMemoryRound(task, round);
    await finalizeMemoryRound(task, round, "the end");
    assert.deepEqual(await inShort(), everybody("done"));
    assert.equal(await reasonOf("client"), "the task is complete: all 1 rounds are final");
  });

  it("stands beside what the parties' nodes say, each beside its own seat", async () => {
    const account = task.members[1]!.account.toLowerCase();
    const all = await states([
      { ...SAID, account },
      { ...SAID, role: "aggregator", trouble: "no look at the chain for 200 s" },
      SAID,
    ]);
    const says = Object.fromEntries(
      all.filter(({ says }) => says !== undefined).map(({ party, says }) => [party, says]),
    );
    assert.deepEqual(says, { aggregator: "no look at the chain for 200 s", "seat 2": "the shares of 2 clients" });
  });
});
