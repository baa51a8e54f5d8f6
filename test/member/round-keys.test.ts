import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { toHex } from "../../protocol/transcript.ts";
import { encodeRecord } from "../../storage/durable-file.ts";
import { openStateDirectory } from "../../storage/state-directory.ts";
import type { StateDirectory } from "../../storage/state-directory.ts";
import { KEYS_AHEAD, openRoundKeys } from "../../member/round-keys.ts";
import type { TaskWriter } from "../../chain/task-chain.ts";
import { openMemoryTask } from "../support/memory-chain.ts";
import { seededRandom } from "../support/random.ts";

describe("a member's one-time keys", () => {
  let directory: string;
  let state: StateDirectory;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "verisum-keys-"));
    state = await openStateDirectory(directory);
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it("are erased for every round before one, also for rounds without a release", async () => {
    const { members } = await openMemoryTask();
    const chain = members[0]!;
    const keys = openRoundKeys(state, "scope");
    await keys.eraseBefore(1n);
    assert.equal(await keys.topUp(chain, 1, 1n, seededRandom("round keys")), KEYS_AHEAD);
    for (let round = 1n; round <= BigInt(KEYS_AHEAD); round += 1n)
      assert.equal(await chain.roundKey(round, 1), toHex((await keys.find(round))!.publicKey));
    assert.equal(await keys.topUp(chain, 1, 1n, seededRandom("more")), 0, "they are registered");
    await keys.eraseBefore(4n);
    const kept = await Promise.all([1n, 2n, 3n, 4n, 5n].map(async (round) => (await keys.find(round)) !== undefined));
    assert.deepEqual(kept, [false, false, false, true, true]);
  });

  it("are asked for on the chain no further than they are due, where none is missing", async () => {
    const { members } = await openMemoryTask();
    const asked: bigint[] = [];
    const roundKey: TaskWriter["roundKey"] = (round, seat) => (asked.push(round), members[0]!.roundKey(round, seat));
    const chain = { ...members[0]!, roundKey };
    const keys = openRoundKeys(state, "asked");
    await keys.topUp(chain, 1, 1n, seededRandom("round keys"));
    asked.length = 0;
    assert.equal(await keys.topUp(chain, 1, 3n, seededRandom("more")), 0);
    assert.deepEqual(asked, [3n, 4n, 5n, 6n]);
  });

  it("are there for every round, though strangers open one as soon as the one before may end", async () => {
    const task = await openMemoryTask();
    const everybody = task.members.map((member, i) => ({ member, seat: i + 1, keys: openRoundKeys(state, `${i}`) }));
    let transactions = 0;
    for (let round = 1n; round <= 20n; round += 1n) {
      for (const { member, seat, keys } of everybody)
        if ((await keys.topUp(member, seat, round, seededRandom(`${seat} ${round}`))) > 0) transactions += 1;
      await task.stranger.openRound();
      const { number, keyMask, deadline } = await task.stranger.round();
      assert.deepEqual([number, keyMask], [round, 0b1111n]);
      task.chain.setTime(deadline);
      await task.stranger.abort(round);
    }
    assert.equal(transactions, everybody.length * 4);
  });

  it("count as gone when they are damaged, and one that is registered is not made again", async () => {
    const { members } = await openMemoryTask();
    const keys = openRoundKeys(state, "damaged");
    await keys.topUp(members[0]!, 1, 1n, seededRandom("round keys"));
    const path = state.file("damaged", "round-key-3.json");
    const whole = await readFile(path);
    for (const bytes of ["", whole.subarray(0, -3), new Uint8Array(whole.length), encodeRecord({})]) {
      await writeFile(path, bytes);
      assert.equal(await keys.find(3n), undefined);
      assert.equal(await keys.topUp(members[0]!, 1, 1n, seededRandom("more")), 0);
      assert.deepEqual(await readFile(path), Buffer.from(bytes));
    }
    await keys.eraseAll();
    assert.deepEqual(await readdir(state.file("damaged")), []);
  });
});
