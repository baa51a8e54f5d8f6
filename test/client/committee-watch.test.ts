import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { ZERO_ADDRESS } from "../../chain/lists.ts";
import { createCommitteeWatch } from "../../client/committee-watch.ts";
import { openMemoryRound, openMemoryTask } from "../support/memory-chain.ts";
import { createRecorder } from "../support/round-recorder.ts";

describe("a client's watch on its committee", () => {
  it("warns of each seat that gets another member, once, and tells when they could read single updates", async () => {
    const task = await openMemoryTask();
    const { operator, stranger, clients } = task;
    const { threshold } = task.parameters;
    const reporter = createRecorder();
    const watch = createCommitteeWatch(task.parameters, reporter);
    const look = async (): Promise<void> => watch(await stranger.look());
    await look();
    await openMemoryRound(task);
    await look();
    assert.deepEqual(reporter.events, [], "a committee that stays is nothing to warn of");

    await operator.replaceMember(1, stranger.account);
    await look();
    await look();
    await operator.replaceMember(2, ZERO_ADDRESS);
    await look();
    await operator.replaceMember(2, clients[0]!.account);
    await look();
    const from = 2n;
    assert.deepEqual(
      reporter.facts("seat-changed").map(({ seat, member, from: first, changed }) => [seat, member, first, changed]),
      [
        [1, stranger.account, from, 1],
        [2, ZERO_ADDRESS, from, 1],
        [2, clients[0]!.account, from, 2],
      ],
    );
    assert.equal(threshold, 2);
    const advised = reporter.events.map(({ level, text }) => [level, /stop it unless you trust them/.test(text)]);
    assert.deepEqual(advised, [
      ["warn", false],
      ["warn", false],
      ["warn", true],
    ]);

    await operator.replaceMember(1, task.members[0]!.account);
    await look();
    assert.equal(reporter.facts("seat-changed").at(-1)?.["changed"], 1, "who comes back is no other member");
  });
});
