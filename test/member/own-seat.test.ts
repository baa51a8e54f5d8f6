import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { leaveSeat, seatOf } from "../../member/own-seat.ts";
import { KEYS_AHEAD, openRoundKeys } from "../../member/round-keys.ts";
import type { RoundKeys } from "../../member/round-keys.ts";
import { openStateDirectory } from "../../storage/state-directory.ts";
import { rejectsCode } from "../support/errors.ts";
import { openMemoryRound, openMemoryTask } from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";
import { seededRandom } from "../support/random.ts";
import { createRecorder } from "../support/round-recorder.ts";

describe("a member's own seat", () => {
  let directory: string;
  let task: MemoryTask;
  let keys: RoundKeys;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "verisum-seat-"));
    const state = await openStateDirectory(directory);
    await state.release();
    task = await openMemoryTask();
    keys = openRoundKeys(state, "scope");
    await keys.topUp(task.members[1]!, 2, 1n, seededRandom("keys"));
    for (const member of task.members.filter((_, i) => i !== 1))
      await member.registerRoundKeys(1n, [`0x${"11".repeat(32)}`]);
    await task.operator.openRound();
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const kept = async (): Promise<number> => {
    const rounds = Array.from({ length: KEYS_AHEAD }, (_, i) => BigInt(i + 1));
    const found = await Promise.all(rounds.map((round) => keys.find(round)));
    return found.filter((key) => key !== undefined).length;
  };
  /** What a start of the second member's program finds. */
  const leaves = async (): Promise<boolean> => {
    const look = await task.operator.look();
    return leaveSeat(seatOf(look, task.members[1]!.account), look, keys, createRecorder());
  };

  it("is kept, with its keys, while it has the seat, and until its last round is closed for good", async () => {
    assert.equal(await leaves(), false);
    await task.operator.replaceMember(2, task.stranger.account);
    assert.equal(await leaves(), false, "round 1 is still its own");
    assert.equal(await kept(), KEYS_AHEAD);
  });

  it("is left at a start after it was replaced: the keys that stayed on the disk are erased, later rounds' included", async () => {
    await task.operator.replaceMember(2, task.stranger.account);
    task.chain.setTime((await task.operator.round()).deadline);
    await task.operator.abort(1n);
    await openMemoryRound({ ...task, members: task.members.with(1, task.stranger) });
    assert.equal(await leaves(), true);
    assert.equal(await kept(), 0);
    const look = await task.operator.look();
    assert.equal(seatOf(look, task.stranger.account).seat, 2);
  });

  it("is the one that it has again, whoever had it meanwhile", async () => {
    await task.operator.replaceMember(2, task.stranger.account);
    task.chain.setTime((await task.operator.round()).deadline);
    await task.operator.abort(1n);
    await task.operator.replaceMember(2, task.members[1]!.account);
    assert.equal(await leaves(), false);
  });

  it("is none of an account that never had one", async () => {
    const look = await task.operator.look();
    await rejectsCode(async () => seatOf(look, task.clients[0]!.account), "ROLE_NOT_REGISTERED");
  });
});
