/** Proofs made before their round opens: over the client's own loop, its journal on disk, and a chain in memory. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { TaskWriter } from "../../chain/task-chain.ts";
import { createClientStep } from "../../client/client-loop.ts";
import type { ClientLoopDependencies, ClientProgress } from "../../client/client-loop.ts";
import { openJournal } from "../../client/journal.ts";
import type { Journal } from "../../client/journal.ts";
import { mostRoundsAhead } from "../../client/preparation.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { encodeModelState, modelDigest } from "../../protocol/model.ts";
import type { ModelState } from "../../protocol/model.ts";
import { initialState } from "../../protocol/next-model.ts";
import { layoutOfTask } from "../../protocol/task.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { openStateDirectory } from "../../storage/state-directory.ts";
import { withSecondLook } from "../../task/second-look.ts";
import { openProver } from "../simulation/prover.ts";
import { knownTauCommitter } from "../support/in-memory-keys.ts";
import { finalizeMemoryRound, memoryAttestations, memorySubmission, openMemoryTask } from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";
import { seededRandom, word } from "../support/random.ts";

const SERVER = {
  fractionalBits: 10,
  learningRate: { numerator: 1, denominatorBits: 1 },
  momentum: { numerator: 1, denominatorBits: 1 },
};
const DIMENSION = 12;
const GENESIS = initialState(new Float32Array(DIMENSION), SERVER);
const BUFFER = { bufferGoal: 4, maxStaleness: 4, minSeparation: 1, minCollectSeconds: 0, maxRounds: 0 };
const KEYED_ROUNDS = 60;

describe("a proof", () => {
  let directory: string;
  let journal: Journal;
  let task: MemoryTask;
  let step: () => Promise<ClientProgress>;
  /** What the others do while the client proves. */
  let meanwhile: () => Promise<unknown>;
  let events: string[];
  /** Files of each bundle that was stored. */
  let sealed: number[];
  let replicated: number;
  let starts: number;
  /** By the client's clock, in milliseconds; proofs take a second and what happens meanwhile. */
  let now: number;
  /** What the others do just before the client's submission is there. */
  let beforeSubmitting: () => Promise<unknown>;
  /** Whether the contract refuses the client's submission. */
  let refuses: boolean;
  const models = new Map([[modelDigest(GENESIS), GENESIS]]);

  /** The first of eight clients is under test; four of the others fill a buffer. */
  const begin = async (change: Partial<typeof BUFFER> & { readonly keyedRounds?: number } = {}): Promise<void> => {
    const { keyedRounds = KEYED_ROUNDS, ...parameters } = { ...BUFFER, ...change };
    [events, sealed, replicated, starts, refuses, now] = [[], [], 0, 0, false, 0];
    meanwhile = beforeSubmitting = () => Promise.resolve();
    const state = await openStateDirectory(directory);
    await state.release();
    journal = openJournal(state, "scope");
    task = await openMemoryTask({
      parameters: { ...parameters, dimension: DIMENSION, chunkKinds: [0], genesisDigest: modelDigest(GENESIS) },
      weights: Array.from({ length: 8 }, () => 1),
    });
    await register(1n, keyedRounds);
    await task.operator.openRound();
    await restart();
  };
  const restart = async (): Promise<void> => {
    step = createClientStep(client(await task.operator.parametersHash()));
  };
  const register = async (first: bigint, count: number): Promise<void> => {
    for (const { account, registerRoundKeys } of task.members) {
      const words = Array.from({ length: count }, (_, i) => word(`${account} ${first + BigInt(i)}`));
      await registerRoundKeys(first, words);
    }
  };
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "verisum-preparation-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const client = (parametersHash: Hex): ClientLoopDependencies => {
    const [own, layout] = [task.clients[0]!, layoutOfTask(task.parameters)];
    const refused = new VerisumError("CHAIN_REVERTED", "for this block", {});
    const submit: TaskWriter["submit"] = async (...given) => {
      await beforeSubmitting();
      return refuses ? Promise.reject(refused) : own.submit(...given);
    };
    const chain = { ...own, submit };
    const inner = openProver(layout, new Map());
    const newest = async (): Promise<ModelState> => models.get((await chain.latestModel()).digest)!;
    return {
      ...{ chain, journal, parametersHash, clock: () => now, random: seededRandom(`client ${++starts}`) },
      ...{ verifyAhead: () => Promise.resolve(), verifyOwn: () => undefined },
      audit: async () => ({
        ...{ ok: true, findings: [] },
        model: { record: await chain.latestModel(), state: await newest() },
      }),
      prover: {
        commitWires: (...given: Parameters<typeof inner.commitWires>) => inner.commitWires(...given),
        prove: async (...given: Parameters<typeof inner.prove>) => {
          await meanwhile();
          now += 1000;
          return inner.prove(...given);
        },
      },
      task: {
        ...{ layout, parameters: task.parameters, parametersHash, document: { server: SERVER } },
        committer: knownTauCommitter(),
        store: {
          putDirectory: (files: Readonly<Record<string, Uint8Array>>) => {
            sealed.push(Object.keys(files).length);
            return Promise.resolve("bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi");
          },
          getFile: async () => encodeModelState(await newest()),
        },
      },
      learner: {
        update: () => Promise.resolve(new Float32Array(DIMENSION)),
        quantise: () => new Int32Array(DIMENSION).fill(1),
      },
      replicate: () => Promise.resolve(void replicated++),
      spread: () => undefined,
      reporter: {
        say: (_: string, event: string, __: string, { round }: Readonly<Record<string, unknown>>) =>
          events.push(`${event} ${String(round)}`),
        wait: () => undefined,
      },
      times: {
        reservedSeconds: () => Promise.resolve(0),
        keep: () => Promise.resolve(),
        warn: () => Promise.resolve(),
        whyLate: () => Promise.resolve(""),
      },
    } as unknown as ClientLoopDependencies;
  };
  /** Others fill the buffer, which settles on them and ends with a model; the next round opens by that. */
  const others = async (): Promise<void> => {
    await close();
    await finalise();
  };
  const close = async (): Promise<bigint> => {
    const { number } = await task.operator.round();
    for (const other of task.clients.slice(1, 5))
      if ((await task.operator.round()).phase === "Collecting")
        await other.submit(number, memorySubmission(task, `${other.account} ${number}`));
    return number;
  };
  const finalise = async (): Promise<void> => {
    const { number } = await task.operator.round();
    const model = initialState(new Float32Array(DIMENSION).fill(Number(number)), SERVER);
    models.set(modelDigest(model), model);
    await task.operator.settle(number, await memoryAttestations(task), 0b1111n, []);
    await finalizeMemoryRound(task, number, `round ${number}`, modelDigest(model));
  };
  /** Steps until the client waits. */
  const rest = async (): Promise<void> => {
    for (let steps = 0; (await step()) !== "waiting"; steps++) assert.ok(steps < 20, events.join());
  };
  const proofs = (): string[] => events.filter((event) => event.startsWith("proven"));
  const isIn = async (round: bigint): Promise<boolean> =>
    (await task.operator.records(round)).submitted.some(({ client: account }) => account === task.clients[0]!.account);

  it("is made while no round takes it, and sent as it is when its round opens", async () => {
    await begin();
    assert.equal(await step(), "acted", "trained");
    await close();
    await rest();
    assert.deepEqual([proofs(), sealed, replicated], [["proven 2"], [4], 0]);
    assert.deepEqual(await journal.submissions(), [], "nothing is bound before it is sent");
    await finalise();
    assert.equal(await step(), "acted");
    assert.deepEqual([await isIn(1n), await isIn(2n), proofs(), replicated], [false, true, ["proven 2"], 1]);
    await rest();
    assert.deepEqual(proofs(), ["proven 2", "proven 3"], "the update of the next model goes into the next round");
  });

  it("is made again after a restart: nothing of it was kept", async () => {
    await begin();
    await step();
    await close();
    await rest();
    await restart();
    await rest();
    await finalise();
    await step();
    assert.deepEqual([await isIn(2n), proofs(), sealed], [true, ["proven 2", "proven 2"], [4, 4]]);
  });

  it("waits for the keys of as many seats as the present round has, and is made again where its round opens with others", async () => {
    await begin({ keyedRounds: 1 });
    await step();
    await close();
    await rest();
    assert.deepEqual(proofs(), []);
    await register(2n, KEYED_ROUNDS);
    await rest();
    assert.deepEqual(proofs(), ["proven 2"]);
    const [successor] = task.clients.slice(7);
    await task.operator.replaceMember(1, successor!.account);
    await successor!.registerRoundKeys(2n, [word("another key")]);
    await finalise();
    await step();
    const own = await journal.find(2n, modelDigest(GENESIS));
    assert.deepEqual([await isIn(2n), proofs()], [true, ["proven 2", "proven 2"]]);
    assert.equal(own?.roundKeys[0], word("another key"));
  });

  for (const pace of [1, 2, 3])
    it(`that takes as long as ${pace} whole rounds is in a later one, over and over`, async () => {
      await begin();
      await step();
      meanwhile = async () => {
        for (let round = 0; round < pace; round++) await others();
      };
      while ((await task.operator.round()).number < 24n) if ((await step()) === "waiting") await others();
      const entered: bigint[] = [];
      for (let round = 1n; round < 24n; round += 1n) if (await isIn(round)) entered.push(round);
      assert.ok(entered.length >= 6 / pace, `in rounds ${entered.join()}`);
    });

  it("is made for the present round as well where that collects as long as a proof takes: it may wait for this client", async () => {
    await begin();
    await step();
    meanwhile = async () => {
      await others();
      await others();
    };
    await step();
    meanwhile = others;
    await step();
    assert.deepEqual(
      [(await task.operator.round()).number, proofs().at(-1)],
      [4n, "proven 5"],
      "it comes a round early",
    );
    assert.deepEqual([await step(), events.at(-1)], ["waiting", "later 4"]);
    now += 999;
    assert.deepEqual([await step(), await isIn(4n)], ["waiting", false]);
    meanwhile = () => Promise.resolve();
    now += 1;
    await step();
    assert.deepEqual([await isIn(4n), proofs().at(-1)], [true, "proven 4"]);
  });

  it("is sent again as it was where a reorganisation undoes that, though the next one would be for a later round", async () => {
    await begin();
    await step();
    meanwhile = others;
    for (let proof = 0; proof < 3; proof++) await step();
    assert.deepEqual([(await task.operator.round()).number, proofs()], [4n, ["proven 1", "proven 2", "proven 4"]]);
    const before = task.chain.snapshot();
    await step();
    assert.equal(await isIn(4n), true);
    task.chain.restore(before);
    assert.equal(await isIn(4n), false);
    await step();
    assert.deepEqual([await isIn(4n), proofs().length], [true, 3]);
  });

  it("is not made where the next block may let the present round take the update", async () => {
    await begin();
    await step();
    refuses = true;
    await step();
    assert.deepEqual(proofs(), ["proven 1"]);
    await rest();
    assert.deepEqual(proofs(), ["proven 1"]);
    refuses = false;
    task.chain.mine(1);
    await step();
    assert.deepEqual([await isIn(1n), proofs()], [true, ["proven 1"]]);
  });

  it("is for the next round again once it is fast again", async () => {
    await begin();
    await step();
    meanwhile = async () => {
      for (let round = 0; round < 3; round++) await others();
    };
    for (let steps = 0; steps < 12; steps++) if ((await step()) === "waiting") await others();
    meanwhile = () => Promise.resolve();
    for (let round = 0; round < 9; round++) {
      await rest();
      await others();
    }
    const { number } = await task.operator.round();
    assert.deepEqual([await isIn(number - 2n), await isIn(number - 1n)], [true, true]);
  });

  it("that took many rounds puts off none for longer than a base lasts, though all collect for less than a proof takes", async () => {
    await begin();
    await step();
    meanwhile = async () => {
      for (let round = 0; round < 20; round++) await others();
    };
    await step();
    meanwhile = () => Promise.resolve();
    for (let round = 0; round < 16; round++) {
      await close();
      await rest();
      await finalise();
      await rest();
    }
    const { number } = await task.operator.round();
    assert.deepEqual([await isIn(number - 2n), await isIn(number - 1n)], [true, true]);
  });

  it("that was ready in time, and lost the race into its round, puts off none", async () => {
    await begin();
    await step();
    beforeSubmitting = close;
    await close();
    for (const round of [2n, 3n]) {
      await rest();
      await finalise();
      await step();
      assert.deepEqual([await isIn(round), events.at(-1)], [false, `closed ${round}`]);
    }
    beforeSubmitting = () => Promise.resolve();
    await finalise();
    await step();
    assert.deepEqual([await isIn(4n), proofs()], [true, ["proven 2", "proven 3", "proven 4"]]);
  });

  it("is made for no round that its base is too old for, nor one after the task's last, nor one that it sits out", async () => {
    await begin({ maxStaleness: 0, bufferGoal: 4 });
    await step();
    await close();
    await rest();
    assert.deepEqual(proofs(), [], "the round that is under way makes a model");
    for (const change of [{ maxRounds: 1 }, {}]) {
      await rm(directory, { recursive: true });
      await begin(change);
      await step();
      await close();
      await journal.sitOut(2n);
      await rest();
      assert.deepEqual(proofs(), []);
    }
  });

  it("is made at most one round more ahead than its base may be old, and none where rounds wait for everybody", async () => {
    const { parameters } = await openMemoryTask();
    assert.equal(mostRoundsAhead({ ...parameters, ...BUFFER }), BUFFER.maxStaleness + 1);
    assert.equal(mostRoundsAhead(parameters), 0);
  });

  it("is made for the round that collects where none can be made for a later one", async () => {
    // The base would be too old for that; the task would be over; members have no keys for it.
    for (const change of [{ maxStaleness: 0 }, { maxRounds: 3 }, { keyedRounds: 3 }]) {
      await rm(directory, { recursive: true });
      await begin(change);
      meanwhile = others;
      for (let steps = 0; (await task.operator.round()).number < 3n && steps < 9; steps++) await step();
      meanwhile = () => Promise.resolve();
      await rest();
      assert.equal(await isIn(3n), true, `${Object.keys(change).join()}: ${events.join()}`);
    }
  });

  it("that failed ahead of its round is tried again in the round, and ends nothing", async () => {
    await begin();
    await step();
    await close();
    meanwhile = () => Promise.reject(new VerisumError("UPDATE_OVER_BOUND", "over the bound", {}));
    await rest();
    await rest();
    assert.deepEqual([events.filter((event) => event.startsWith("refused")), sealed.length], [["refused 2"], 1]);
    meanwhile = () => Promise.resolve();
    await finalise();
    await step();
    assert.equal(await isIn(2n), true);
  });

  it("that no key should give ends the client ahead of a round as well: the second look meets that again", async () => {
    await begin();
    await step();
    await close();
    meanwhile = () => Promise.reject(new VerisumError("KEY_REFUSED", "another circuit", {}));
    const twice = withSecondLook(step, { reread: () => Promise.resolve() });
    await assert.rejects(twice, { code: "KEY_REFUSED" });
  });
});
