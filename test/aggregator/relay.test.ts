import { describe, it } from "mocha";
import assert from "node:assert/strict";
import type { SignedSubmission, TaskWriter } from "../../chain/task-chain.ts";
import { createRelay } from "../../aggregator/relay.ts";
import type { Relay } from "../../aggregator/relay.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { rejectsCode } from "../support/errors.ts";
import { memorySubmission, openMemoryRound, openMemoryTask } from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";

/** Clients, members, operator. */
const LIST_CALLS = 3;

/** A relay of clients' submissions, each due at once, on a task whose first round collects. */
class Scene {
  readonly task: MemoryTask;
  readonly relay: Relay;
  /** Calls of the relay to the chain. */
  calls = 0;
  /** Submissions of which the relay told its loop. */
  announced = 0;
  /** Clients of each batch. */
  readonly sent: (readonly Hex[])[] = [];
  /** Runs while a batch is under way. */
  meanwhile: () => Promise<void> = () => Promise.resolve();

  static async open(): Promise<Scene> {
    const task = await openMemoryTask();
    const scene = new Scene(task);
    await scene.openRound();
    return scene;
  }

  private constructor(task: MemoryTask) {
    this.task = task;
    const counted = Object.entries(task.stranger).map(([name, value]: [string, unknown]) => [
      name,
      typeof value === "function" ? (...args: unknown[]) => (this.calls++, value(...args) as unknown) : value,
    ]);
    const chain = Object.fromEntries(counted) as TaskWriter;
    this.relay = createRelay({
      chain: {
        ...chain,
        submitBatch: async (round, batched) => {
          this.sent.push(batched.map(({ client }) => client));
          const receipt = await chain.submitBatch(round, batched);
          await this.meanwhile();
          return receipt;
        },
      },
      parameters: task.parameters,
      batch: 8,
      reporter: { say: () => undefined, wait: () => undefined },
      clock: () => 0,
      onPending: () => void this.announced++,
    });
  }

  /** Opens the next round, and waits until so little of it is left that nothing waits for others. */
  async openRound(): Promise<void> {
    await openMemoryRound(this.task);
    this.task.chain.setTime((await this.task.operator.round()).deadline - 30);
  }

  /** A signed submission in the current round. */
  async sign(client: TaskWriter): Promise<SignedSubmission> {
    const { number } = await client.round();
    return client.signSubmission(number, memorySubmission(this.task, `${client.account} ${number}`));
  }

  async handOver(client: TaskWriter): Promise<Hex> {
    await this.relay.accept((await client.round()).number, await this.sign(client));
    return client.account;
  }
}

describe("a relay", () => {
  it("does not pay for a client that has sent its own meanwhile", async () => {
    const scene = await Scene.open();
    const [first, second] = scene.task.clients as [TaskWriter, TaskWriter];
    await scene.handOver(first);
    await scene.handOver(second);
    assert.equal(scene.announced, 2);
    await first.submit(1n, memorySubmission(scene.task, "its own"));
    assert.equal(await scene.relay.step(), true);
    assert.deepEqual(scene.sent, [[second.account]]);
    assert.equal(await scene.relay.step(), false);
    const { submitted } = await first.records(1n);
    assert.deepEqual(
      submitted.map(({ client }) => client),
      [first.account, second.account],
    );
  });

  it("keeps what a client hands over for the next round while the last one's batch is under way", async () => {
    const scene = await Scene.open();
    const { clients, stranger, chain } = scene.task;
    const client = await scene.handOver(clients[0]!);
    scene.meanwhile = async () => {
      scene.meanwhile = () => Promise.resolve();
      chain.setTime((await stranger.round()).deadline);
      await stranger.abort(1n);
      await scene.openRound();
      await scene.handOver(clients[0]!);
    };
    await scene.relay.step();
    assert.equal(await scene.relay.step(), true);
    assert.deepEqual(scene.sent, [[client], [client]]);
    assert.equal((await stranger.client(client)).lastSubmittedRound, 2n);
  });

  it("asks the chain nothing about a submission that its client did not sign", async () => {
    const scene = await Scene.open();
    const signed = await scene.sign(scene.task.clients[0]!);
    await rejectsCode(scene.relay.accept(2n, signed), "SIGNATURE_INVALID");
    const other = scene.task.clients[1]!.account;
    await rejectsCode(scene.relay.accept(1n, { ...signed, client: other }), "SIGNATURE_INVALID");
    assert.ok(scene.calls <= LIST_CALLS);
    assert.equal(scene.announced, 0);
    await scene.relay.accept(1n, signed);
    assert.ok(scene.calls > LIST_CALLS);
  });

  it("asks the chain for the list of accounts, and no more, whatever hundreds of strangers sign", async () => {
    const scene = await Scene.open();
    const signed = await scene.sign(scene.task.stranger);
    for (let i = 0; i < 400; i++) {
      const client: Hex = `0x${i.toString(16).padStart(40, "b")}`;
      await rejectsCode(scene.relay.accept(1n, { ...signed, client }), "ROLE_NOT_REGISTERED");
    }
    await rejectsCode(scene.relay.accept(1n, signed), "ROLE_NOT_REGISTERED");
    assert.ok(scene.calls <= LIST_CALLS, `${scene.calls} calls`);
    await scene.handOver(scene.task.clients[0]!);
    assert.equal(scene.announced, 1);
  });

  it("keeps nothing that the contract would refuse, or that is of nobody in the round", async () => {
    const scene = await Scene.open();
    const { clients, stranger } = scene.task;
    const wrong = { ...memorySubmission(scene.task, "wrong"), shareHashes: [] };
    await rejectsCode(scene.relay.accept(1n, await clients[0]!.signSubmission(1n, wrong)), "CHAIN_REVERTED");
    await rejectsCode(scene.relay.accept(1n, await scene.sign(stranger)), "ROLE_NOT_REGISTERED");
    assert.equal(await scene.relay.step(), false);
    assert.deepEqual(scene.sent, []);
  });
});
