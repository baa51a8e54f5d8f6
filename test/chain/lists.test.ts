import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { accountsFrom, membersIn, ZERO_ADDRESS } from "../../chain/lists.ts";
import { checkStatementInRound } from "../../chain/statement-signatures.ts";
import { checkOrigin } from "../../task/statements.ts";
import { rejectsCode, throwsCode } from "../support/errors.ts";
import {
  finalizeMemoryRound,
  memoryAttestations,
  openMemoryRound,
  openMemoryTask,
  settleMemoryRound,
} from "../support/memory-chain.ts";
import { word } from "../support/random.ts";

describe("the lists of a task's rounds", () => {
  it("are those of each round, whatever came later", async () => {
    const task = await openMemoryTask({ parameters: { minClients: 2, maxCorrupt: 0 } });
    const { operator, members, clients, stranger } = task;
    const first = await openMemoryRound(task);
    await operator.removeClient(clients[0]!.account);
    await operator.replaceMember(2, stranger.account);
    await operator.replaceMember(3, ZERO_ADDRESS);
    await operator.replaceMember(3, members[2]!.account);
    await operator.registerClient(stranger.account, 1);
    const before = await operator.look();
    assert.deepEqual(
      await operator.members(),
      members.map(({ account }) => account),
    );
    assert.equal(membersIn(before.seats, first + 1n)[1], stranger.account);
    assert.ok((await operator.clients()).includes(clients[0]!.account));
    await settleMemoryRound(task, first);
    await finalizeMemoryRound(task, first, "first");
    for (const member of [members[0]!, stranger, members[2]!, members[3]!])
      await member.registerRoundKeys(2n, [word(`${member.account} 2`)]);
    await operator.openRound();
    const { seats, clientTerms, listChanges } = await operator.look();
    assert.equal(membersIn(seats, 1n)[1], members[1]!.account);
    assert.equal(membersIn(seats, 2n)[1], stranger.account);
    assert.equal((await operator.members())[2], members[2]!.account);
    assert.deepEqual(
      await operator.members(1n),
      members.map(({ account }) => account),
    );
    assert.ok(accountsFrom(clientTerms, 1n).includes(clients[0]!.account));
    assert.ok(!accountsFrom(clientTerms, 2n).includes(clients[0]!.account));
    assert.ok((await operator.clients()).includes(stranger.account));
    assert.equal(listChanges, 4 + 3 + 1 + 3 + 1);
  });

  it("give a place and its rounds to the account that takes it", async () => {
    const task = await openMemoryTask();
    const { operator, clients, stranger } = task;
    const first = await openMemoryRound(task);
    await settleMemoryRound(task, first);
    await clients[1]!.nameSuccessor(stranger.account);
    await stranger.takePlace(clients[1]!.account);
    const { clientTerms } = await operator.look();
    assert.deepEqual(clientTerms.at(-1), {
      ...{ client: stranger.account, weight: 1, fromRound: 2n, untilRound: undefined },
      predecessor: clients[1]!.account,
    });
    const { includedRounds, ...status } = await operator.client(clients[1]!.account);
    assert.deepEqual([status.moved, status.untilRound, includedRounds], [true, 2n, 0]);
  });

  it("name a member that signs for a round in which it had not the seat, or has it no more", async () => {
    const task = await openMemoryTask();
    const { operator, members, stranger } = task;
    const first = await openMemoryRound(task);
    await operator.replaceMember(2, stranger.account);
    const [early] = await memoryAttestations({ ...task, members: [members[0]!, stranger] }, { seats: [2], good: 0n });
    await rejectsCode(checkOrigin(operator, { kind: "attestation", ...early! }), "SEAT_REPLACED");
    const [now] = await memoryAttestations(task, { seats: [2], good: 0n });
    await checkOrigin(operator, { kind: "attestation", ...now! });
    const seats = await operator.seats();
    const { context } = operator;
    const later = { ...now!, round: first + 1n };
    const signature = await members[1]!.signAttestation(later);
    throwsCode(() => checkStatementInRound(context, seats, "Attestation", { ...later, signature }), "SEAT_REPLACED");
    const foreign = { ...later, signature: await members[3]!.signAttestation(later) };
    throwsCode(() => checkStatementInRound(context, seats, "Attestation", foreign), "SIGNATURE_INVALID");
  });
});
