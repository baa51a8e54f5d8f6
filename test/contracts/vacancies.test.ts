/** Openings of a committee with an empty seat, while they still wait for every member's key. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "mocha";
import type { NetworkConnection } from "hardhat/types/network";
import { ZERO_WORD } from "../../protocol/transcript.ts";
import { abortRound } from "../support/listed-tasks.ts";
import { word } from "../support/random.ts";
import { reverts } from "../support/reverts.ts";
import {
  as,
  deployTask,
  openChain,
  openRound,
  registerAll,
  roundOf,
  snapshot,
  view,
} from "../support/task-on-chain.ts";
import type { TaskOnChain } from "../support/task-on-chain.ts";

const NOBODY = `0x${"00".repeat(20)}`;

describe("an empty seat", function () {
  this.timeout(60_000);
  let connection: NetworkConnection;
  let restore: () => Promise<void>;
  let task: TaskOnChain;
  before(async () => {
    connection = await openChain();
    // Nothing here takes so long.
    task = await deployTask(connection, { keyWindowSeconds: 1_000_000 });
    await registerAll(task, [1, 1, 1, 1]);
    // Before a first round every seat has its member.
    await openRound(task);
    await abortRound(connection, task);
    restore = await snapshot(connection);
  });
  beforeEach(() => restore());
  after(() => connection.close());

  it("is waited for while it is filled, and not once it is empty", async () => {
    for (const seat of [1, 2, 3])
      await as(task, task.members[seat - 1]!)["registerRoundKeys"]!(2, [word(`key 2 ${seat}`)]);
    await reverts(task.verisum["openRound"]!(), "VerisumTooFewKeys");
    await task.verisum["replaceMember"]!(4, NOBODY);
    await task.verisum["openRound"]!();
    assert.equal((await roundOf(task)).keyMask, 0b0111n);
  });

  it("is waited for again once it is filled again", async () => {
    await task.verisum["replaceMember"]!(4, NOBODY);
    await task.verisum["replaceMember"]!(4, task.clients[7]!.address);
    await reverts(openRound(task, [1, 2, 3]), "VerisumTooFewKeys");
    await as(task, task.clients[7]!)["registerRoundKeys"]!(2, [word("key of the next member")]);
    await task.verisum["openRound"]!();
    assert.equal((await roundOf(task)).keyMask, 0b1111n);
  });

  it("has the key of the round in which it was left, and none of later rounds", async () => {
    await openRound(task);
    await as(task, task.members[3]!)["registerRoundKeys"]!(3, [word("later")]);
    await task.verisum["replaceMember"]!(4, NOBODY);
    assert.deepEqual(await Promise.all([2, 3].map((round) => view(task, "roundKey", round, 4))), [
      word("key 2 4"),
      ZERO_WORD,
    ]);
  });

  it("makes no quorum of fewer", async () => {
    await task.verisum["replaceMember"]!(3, NOBODY);
    await task.verisum["replaceMember"]!(4, NOBODY);
    await reverts(openRound(task, [1, 2]), "VerisumTooFewKeys");
  });
});
