/** What a client does where rounds do not wait for everybody: which vector it holds, and when it trains. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { TaskLook, TaskWriter } from "../../chain/task-chain.ts";
import { createAhead } from "../../client/ahead.ts";
import type { Ahead } from "../../client/ahead.ts";
import { openJournal } from "../../client/journal.ts";
import type { Journal, PrivateVector } from "../../client/journal.ts";
import type { BaseModel } from "../../client/make-submission.ts";
import type { ParticipantDependencies } from "../../client/participant.ts";
import { isHeldBack } from "../../client/private-vector.ts";
import { targetIn } from "../../client/target.ts";
import { openStateDirectory } from "../../storage/state-directory.ts";
import {
  finalizeMemoryRound,
  memoryAttestations,
  memorySubmission,
  openMemoryRound,
  openMemoryTask,
} from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";

const BUFFER = { bufferGoal: 4, maxStaleness: 2, minSeparation: 1, minCollectSeconds: 0 };

describe("a client of a buffer", () => {
  let directory: string;
  let journal: Journal;
  let task: MemoryTask;
  let ahead: Ahead;
  let events: { readonly event: string; readonly facts: Readonly<Record<string, unknown>> }[];
  /** What happens while the client trains. */
  let meanwhile: () => Promise<void>;
  let scaledBy: (number | undefined)[];
  /** Blocks on top that make a block final. */
  let confirmations: number;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "verisum-ahead-"));
    [events, scaledBy, meanwhile, confirmations] = [[], [], () => Promise.resolve(), 0];
    await begin();
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  /** Five clients, the first one under test; the others fill a buffer. */
  const begin = async (change: Partial<typeof BUFFER> = {}): Promise<void> => {
    const state = await openStateDirectory(directory);
    journal = openJournal(state, "scope");
    await state.release();
    const parameters = { ...BUFFER, ...change };
    task = await openMemoryTask({ parameters, weights: Array.from({ length: 8 }, () => 1) });
    ahead = createAhead({
      chain: own(),
      task: { parameters: task.parameters },
      journal,
      clock: () => 0,
      learner: {
        update: async () => {
          await meanwhile();
          return Float32Array.of(0.5);
        },
        quantise: (_update: Float32Array, _base: unknown, staleness?: number) => {
          scaledBy.push(staleness);
          return Int32Array.of(1, 2);
        },
      },
      reporter: {
        say: (_: string, event: string, __: string, facts: Readonly<Record<string, unknown>>) =>
          events.push({ event, facts }),
        wait: () => undefined,
      },
    } as unknown as ParticipantDependencies);
  };
  const own = (): TaskWriter => task.clients[0]!;
  const look = (): Promise<TaskLook> => task.reader(confirmations).look();
  const ready = async (): Promise<PrivateVector | undefined> => {
    const vector = await ahead.held(await look());
    return isHeldBack(vector) ? assert.fail(`round ${vector.heldBy} may still count it`) : vector;
  };
  const held = async (): Promise<bigint | undefined> => (await ready())?.base;
  const mayTrain = async (): Promise<boolean> => ahead.mayTrain(await look());
  const newest = async (): Promise<BaseModel> => {
    const { latestModel, finalisedRounds } = await look();
    const state = (): never => ({}) as never;
    return { number: BigInt(finalisedRounds), digest: latestModel.digest, audited: Promise.resolve(), state };
  };
  const train = async (): Promise<void> => ahead.train(await look(), await newest());
  /** The client makes its submission of what it holds, and sends it. */
  const share = async (round: bigint): Promise<void> => {
    const vector = (await ready())!;
    const parametersHash = await own().parametersHash();
    const target = await targetIn(
      { chain: own(), task: { ...task, parametersHash } },
      await own().records(round),
      vector,
    );
    const submission = { ...memorySubmission(task, `own ${round}`), base: vector.base };
    await journal.keep({ ...target, submission });
    await own().submit(round, submission);
  };
  const open = (): Promise<bigint> => openMemoryRound(task);
  /** Others fill the buffer, and the round settles on everybody in it. */
  const settle = async (round: bigint, others = task.clients.slice(1, 5)): Promise<void> => {
    const base = BigInt(await task.operator.finalisedRounds());
    for (const client of others)
      await client.submit(round, { ...memorySubmission(task, `${client.account} ${round}`), base });
    await task.operator.settle(round, await memoryAttestations(task), 0b1111n, []);
  };
  const finalise = async (round: bigint): Promise<void> => {
    await settle(round);
    await finalizeMemoryRound(task, round, `round ${round}`);
  };
  const abort = async (round: bigint): Promise<void> => {
    task.chain.setTime((await task.operator.round()).deadline);
    await task.operator.abort(round);
  };

  it("trains before any round is open, and once for a model", async () => {
    assert.deepEqual([await held(), await mayTrain()], [undefined, true]);
    await train();
    assert.deepEqual([await held(), await mayTrain()], [0n, false]);
  });

  it("holds what no round has taken, over a restart as well, while its base is not too old; then drops and counts it", async () => {
    await train();
    for (const age of [1, 2]) {
      await finalise(await open());
      assert.equal(await held(), 0n, `${age} models old`);
    }
    await finalise(await open());
    assert.deepEqual([await held(), await held()], [undefined, undefined]);
    const dropped = (): unknown[] =>
      events.filter(({ event }) => event === "dropped").map(({ facts }) => facts.dropped);
    assert.deepEqual(dropped(), [1], "once");
    assert.equal(await mayTrain(), true);
  });

  it("neither shares nor draws again while a round has its update, and trains as soon as there is a newer model", async () => {
    await train();
    const round = await open();
    await share(round);
    assert.deepEqual([await held(), await mayTrain()], [undefined, false]);
    await settle(round, task.clients.slice(1, 4));
    assert.deepEqual([await held(), await mayTrain()], [undefined, false], "settled, and the model is the same still");
    await finalizeMemoryRound(task, round, "one");
    assert.deepEqual([await held(), await mayTrain()], [undefined, true]);
  });

  it("shares the same again after a round that ended before it settled, and draws another after one that had settled", async () => {
    await train();
    await share(await open());
    await abort(1n);
    assert.deepEqual([await held(), await mayTrain()], [0n, false]);
    const second = await open();
    await share(second);
    await settle(second, task.clients.slice(1, 4));
    await abort(second);
    assert.deepEqual([await held(), await mayTrain()], [undefined, true]);
    await train();
    const [first, again] = await journal.vectors();
    assert.deepEqual([first?.firstRound, again?.firstRound, await held()], [1n, 3n, 0n]);
  });

  it("holds back what a round took that ended before it settled, and draws nothing in its place, until that is final", async () => {
    await train();
    await share(await open());
    await abort(1n);
    confirmations = 12;
    assert.deepEqual([await ahead.held(await look()), await mayTrain()], [{ heldBy: 1n }, false]);
    await open();
    assert.deepEqual([await ahead.held(await look()), await mayTrain()], [{ heldBy: 1n }, false]);
    task.chain.mine(confirmations);
    assert.deepEqual([await held(), await mayTrain()], [0n, false]);
  });

  it("drops what it held back once it is too old, and counts it once that is known to be in no sum", async () => {
    await train();
    await share(await open());
    await abort(1n);
    confirmations = 1_000;
    for (let made = 0; made < 3; made++) await finalise(await open());
    assert.deepEqual([await ahead.held(await look()), await mayTrain()], [undefined, true]);
    assert.deepEqual(events.at(-1)?.event, "drawn");
    confirmations = 0;
    assert.equal(await held(), undefined);
    assert.deepEqual(events.at(-1)?.facts, { count: 1, dropped: 1 });
  });

  it("shares once what it drew after a round that a reorganisation let it into, and that counted it", async () => {
    const round = await open();
    const before = task.chain.snapshot();
    for (const client of task.clients.slice(1, 5))
      await client.submit(round, memorySubmission(task, `${client.account} ${round}`));
    await train();
    task.chain.restore(before);
    await share(round);
    await settle(round, task.clients.slice(1, 4));
    await abort(round);
    await open();
    assert.deepEqual([await held(), await mayTrain()], [undefined, true]);
  });

  it("scales by the models that were made while it trained, and draws nothing of a base that became too old", async () => {
    meanwhile = async () => {
      for (let rounds = 0; rounds < 2; rounds++) await finalise(await open());
    };
    await train();
    assert.deepEqual([scaledBy, await held()], [[2], 0n]);
    await rm(directory, { recursive: true });
    await begin();
    meanwhile = async () => {
      for (let rounds = 0; rounds < 3; rounds++) await finalise(await open());
    };
    await train();
    assert.deepEqual([scaledBy.length, await held(), (await journal.vectors()).length], [1, undefined, 0]);
    assert.deepEqual(events.at(-1)?.facts, { count: 1, dropped: 1 });
  });

  it("waits with training until a round may take its update again", async () => {
    await rm(directory, { recursive: true });
    await begin({ minSeparation: 2 });
    await train();
    await share(await open());
    await settle(1n, task.clients.slice(1, 4));
    await finalizeMemoryRound(task, 1n, "one");
    assert.equal(await mayTrain(), false, "round 2 is too soon");
    const second = await open();
    assert.equal(await mayTrain(), false);
    await settle(second, task.clients.slice(4, 8));
    assert.equal(await mayTrain(), true, "for round 3");
  });
});
