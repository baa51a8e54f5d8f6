import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Hex } from "../../protocol/transcript.ts";
import { knownAccounts } from "../../task/task-accounts.ts";

const account = (index: number): Hex => `0xab${String(index).padStart(38, "0")}`;
const [OPERATOR, MEMBER, CLIENT] = [account(1), account(2), account(3)];

/** A task of three, of which a test may change the members and fail the endpoint. */
function scene() {
  const state = { members: [MEMBER], fails: false, reads: 0, seconds: 0 };
  const isOfTask = knownAccounts(
    {
      clients: async () => {
        state.reads++;
        if (state.fails) throw new Error("the endpoint is away");
        return [`0x${CLIENT.slice(2).toUpperCase()}`];
      },
      look: async () => ({
        round: { number: 1n },
        seats: state.members.map((member, i) => ({ seat: i + 1, member, fromRound: 0n, untilRound: undefined })),
      }),
      operator: async () => OPERATOR,
    },
    () => state.seconds,
  );
  return { state, isOfTask };
}

describe("the accounts of a task", () => {
  it("are told from others, however they are written on chain", async () => {
    const { isOfTask } = scene();
    for (const known of [OPERATOR, MEMBER, CLIENT]) assert.equal(await isOfTask(known), true);
    assert.equal(await isOfTask(account(4)), false);
  });

  it("are read once in two seconds, whatever strangers ask, while the endpoint is away as well", async () => {
    for (const fails of [false, true]) {
      const { state, isOfTask } = scene();
      state.fails = fails;
      const answers: unknown[] = [];
      for (let i = 0; i < 400; i++) {
        state.seconds = i / 100;
        answers.push(await isOfTask(account(100 + i)).catch(() => "away"));
      }
      assert.equal(state.reads, 2);
      assert.deepEqual(new Set(answers), new Set([fails ? "away" : false]));
    }
  });

  it("keep their rights while the endpoint is away", async () => {
    const { state, isOfTask } = scene();
    assert.equal(await isOfTask(CLIENT), true);
    state.fails = true;
    for (const seconds of [3, 100]) {
      state.seconds = seconds;
      await assert.rejects(isOfTask(account(9)));
      assert.equal(await isOfTask(CLIENT), true);
    }
  });

  it("lose them within a minute and a request of leaving, and have them two seconds after joining", async () => {
    const { state, isOfTask } = scene();
    assert.equal(await isOfTask(MEMBER), true);
    state.members = [account(7)];
    assert.equal(await isOfTask(account(7)), false);
    state.seconds = 2;
    assert.equal(await isOfTask(account(7)), true);
    assert.equal(await isOfTask(MEMBER), false);
    state.members = [MEMBER];
    state.seconds = 62;
    await isOfTask(account(7));
    await new Promise(setImmediate);
    assert.equal(await isOfTask(account(7)), false);
  });
});
