import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { register } from "../../client/registration.ts";
import { rejectsCode } from "../support/errors.ts";
import { finalizeMemoryRound, openMemoryRound, openMemoryTask, settleMemoryRound } from "../support/memory-chain.ts";
import { createRecorder } from "../support/round-recorder.ts";

const CONFIRMATIONS = 3;

describe("a client's registration", () => {
  for (const openRegistration of [true, false])
    it(`with ${openRegistration ? "an open" : "a listed"} task that is complete is refused before it pays or waits`, async () => {
      const parameters = { openRegistration, bondWei: 0n, uniformWeights: true, maxRounds: 1 };
      const task = await openMemoryTask({ parameters });
      await settleMemoryRound(task, await openMemoryRound(task));
      await finalizeMemoryRound(task, 1n, "the end");
      const refused = (): never => assert.fail("it joins or waits");
      const chain = { ...task.stranger, join: refused };
      const deps = { chain, task, sleep: refused, reporter: createRecorder() };
      await rejectsCode(register(deps), "TASK_COMPLETE", { finalisedRounds: 1 });
    });

  it("with an open task is made again where a reorganisation undid it, until it is final, and never after that", async () => {
    const open = { openRegistration: true, bondWei: 0n, uniformWeights: true };
    const { chain: memory, stranger, reader, parameters } = await openMemoryTask({ parameters: open });
    const chain = { ...stranger, finalBlock: reader(CONFIRMATIONS).finalBlock };
    const weight = async (): Promise<number> => (await chain.client(chain.account)).weight;
    const before = memory.snapshot();
    const sleep = (): Promise<never> => assert.fail("nobody lists clients of an open task");
    const rejoin = await register({ chain, task: { parameters }, sleep, reporter: createRecorder() });
    assert.equal(await weight(), 1);
    for (let branch = 0; branch < 2; branch++) {
      await rejoin();
      memory.restore(before);
      assert.equal(await weight(), 0);
      await rejoin();
      assert.equal(await weight(), 1);
    }
    const height = memory.blockNumber;
    await rejoin();
    assert.equal(memory.blockNumber, height, "who is registered does not join again");
    memory.mine(CONFIRMATIONS);
    await rejoin();
    memory.restore(before);
    await rejoin();
    assert.equal(await weight(), 0, "what was final is another process's business");
  });

  it("is made again where a reorganisation undid a return, and not where the client left once more", async () => {
    const open = { openRegistration: true, bondWei: 0n, uniformWeights: true };
    const task = await openMemoryTask({ parameters: open });
    const chain = { ...task.stranger, finalBlock: task.reader(CONFIRMATIONS).finalBlock };
    const isIn = async (): Promise<boolean> => (await chain.client(chain.account)).untilRound === 0n;
    await chain.join();
    await openMemoryRound(task);
    await chain.removeClient(chain.account);
    const sleep = (): Promise<never> => assert.fail("nobody lists clients of an open task");
    task.chain.setTime((await task.operator.round()).deadline);
    await task.operator.abort(1n);
    const closed = task.chain.snapshot();
    const rejoin = await register({ chain, task, sleep, reporter: createRecorder() });
    assert.equal(await isIn(), true);
    await rejoin();
    task.chain.restore(closed);
    assert.equal(await isIn(), false);
    await rejoin();
    assert.equal(await isIn(), true);
    await chain.removeClient(chain.account);
    await rejoin();
    assert.equal(await isIn(), false, "to leave is the client's own wish");
  });

  it("with a listed task waits for the operator, and joins nothing", async () => {
    const task = await openMemoryTask();
    const { operator, stranger } = task;
    const chain = { ...stranger, join: () => assert.fail("the operator lists clients") };
    let pauses = 0;
    const sleep = async (): Promise<void> => {
      if (++pauses === 2) await operator.registerClient(chain.account, 1);
    };
    const reporter = createRecorder();
    const rejoin = await register({ chain, task, sleep, reporter });
    await rejoin();
    assert.equal(pauses, 2);
    assert.ok(reporter.events.some(({ event }) => event === "registered"));
  });
});
