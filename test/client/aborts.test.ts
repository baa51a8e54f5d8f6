/** What conspiring members see of a client whose rounds they abort: over the client's own code, its journal on disk. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { TaskWriter } from "../../chain/task-chain.ts";
import { createClientStep } from "../../client/client-loop.ts";
import type { ClientLoopDependencies } from "../../client/client-loop.ts";
import { openJournal } from "../../client/journal.ts";
import type { Journal } from "../../client/journal.ts";
import { submitUpdate } from "../../client/participant.ts";
import type { HeldBack } from "../../client/private-vector.ts";
import { evaluatePolynomial } from "../../protocol/field.ts";
import { layoutOfTask } from "../../protocol/task.ts";
import { encodeModelState, modelDigest } from "../../protocol/model.ts";
import { initialState } from "../../protocol/next-model.ts";
import { G1_GENERATOR, G2_GENERATOR } from "../../protocol/points.ts";
import type { ChunkProver } from "../../protocol/ports.ts";
import { coordinateOffset } from "../../protocol/parameters.ts";
import { poseidonPair } from "../../protocol/poseidon.ts";
import { openStateDirectory } from "../../storage/state-directory.ts";
import { rejectsCode } from "../support/errors.ts";
import { memoryAttestations, memorySubmission, openMemoryRound, openMemoryTask } from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";
import { seededRandom, word } from "../support/random.ts";

const SERVER = {
  fractionalBits: 10,
  learningRate: { numerator: 1, denominatorBits: 1 },
  momentum: { numerator: 1, denominatorBits: 1 },
};
const BUDGET = 4;
/** Each costs as much as there are rounds before it: a thousand (`ABORTS=1000`) take minutes. */
const ABORTS = Number(process.env["ABORTS"] ?? 100);
/** Blocks on top that make a block final, where the chain may be reorganised. */
const CONFIRMATIONS = 12;

describe("a client's private vectors", () => {
  let directory: string;
  let task: MemoryTask;
  let journal: Journal;
  let base: ReturnType<typeof initialState>;
  /** What the threshold of members knows: each round's coordinates, and the commitments, which masks make different. */
  let seen: { vectors: string[]; masked: Set<string>; trained: number };
  let said: { readonly level: string; readonly event: string; readonly facts: Readonly<Record<string, unknown>> }[];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "verisum-vectors-"));
    const dimension = 12;
    base = initialState(new Float32Array(dimension), SERVER);
    task = await openMemoryTask({
      parameters: {
        ...{ dimension, chunkKinds: [0], genesisDigest: modelDigest(base) },
        ...{ privacyCostPerRound: 1n, privacyBudget: 9n, maxRoundsPerClient: BUDGET },
      },
    });
    [seen, said] = [{ vectors: [], masked: new Set(), trained: 0 }, []];
    journal = await reopened();
  });
  const reopened = async (): Promise<Journal> => {
    const state = await openStateDirectory(directory);
    await state.release();
    return openJournal(state, "scope");
  };
  afterEach(() => rm(directory, { recursive: true, force: true }));

  /** The client, whose training never gives the same twice. */
  const client = (chain: TaskWriter): ClientLoopDependencies => {
    const layout = layoutOfTask(task.parameters);
    let packed: readonly bigint[] = [];
    const prover: Pick<ChunkProver, "commitWires" | "prove"> = {
      commitWires: (_, { rows }) => {
        seen.vectors.push(Array.from(rows, (row) => row - coordinateOffset(layout.preset)).join());
        return Promise.resolve(G1_GENERATOR);
      },
      prove: (_, { rows, accumulatedBefore, salt }, { z }) => {
        const norm = rows.reduce((sum, row) => sum + (row - coordinateOffset(layout.preset)) ** 2, 0);
        const h = poseidonPair(accumulatedBefore + BigInt(norm), salt);
        const y = evaluatePolynomial(packed, z);
        return Promise.resolve({ a: G1_GENERATOR, b: G2_GENERATOR, c: G1_GENERATOR, y, h });
      },
    };
    const audited = async (): Promise<unknown> => ({
      ...{ ok: true, findings: [] },
      model: { record: await chain.latestModel(), state: base },
    });
    return {
      chain,
      audit: audited,
      verifyAhead: () => Promise.resolve(),
      journal,
      prover,
      task: {
        ...{ layout, parameters: task.parameters, parametersHash: word("parameters"), document: { server: SERVER } },
        committer: {
          commit: (vector: readonly bigint[]) => {
            if (packed.length === 0) packed = vector;
            seen.masked.add(packed.join());
            return Promise.resolve(G1_GENERATOR);
          },
        },
        store: {
          putDirectory: () => Promise.resolve("bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"),
          getFile: () => Promise.resolve(encodeModelState(base)),
        },
      },
      learner: {
        update: () => Promise.resolve(Float32Array.of(++seen.trained)),
        quantise: ([made]: Float32Array) => new Int32Array(task.parameters.dimension).fill(made!),
      },
      verifyOwn: () => undefined,
      replicate: () => Promise.resolve(),
      spread: () => undefined,
      random: seededRandom(`attempt ${seen.vectors.length}`),
      reporter: {
        say: (level: string, event: string, _: string, facts: Readonly<Record<string, unknown>>) =>
          said.push({ level, event, facts }),
        wait: () => undefined,
      },
      clock: () => 0,
      times: {
        reservedSeconds: () => Promise.resolve(0),
        keep: () => Promise.resolve(),
        warn: () => Promise.resolve(),
      },
    } as unknown as ClientLoopDependencies;
  };
  const submit = async (chain: TaskWriter = task.clients[0]!): Promise<boolean | HeldBack> => {
    const look = await chain.look();
    return submitUpdate(client(chain), look, {
      number: BigInt(look.finalisedRounds),
      digest: look.latestModel.digest,
      audited: Promise.resolve(),
      state: () => Promise.resolve(base),
    });
  };
  const submitOthers = async (round: bigint): Promise<void> => {
    for (const other of task.clients.slice(1)) await other.submit(round, memorySubmission(task, other.account));
  };
  /** The other clients submit, and the round settles on all. */
  const settle = async (round: bigint): Promise<void> => {
    await submitOthers(round);
    await settleOnAll(round);
  };
  const settleOnAll = async (round: bigint): Promise<void> => {
    await task.operator.settle(round, await memoryAttestations(task), (1n << BigInt(task.members.length)) - 1n, []);
  };
  const abort = async (): Promise<void> => {
    const { number, deadline } = await task.operator.round();
    task.chain.setTime(deadline);
    await task.operator.abort(number);
  };
  const distinct = (): number => new Set(seen.vectors).size;

  it(`are one for a base model, however often its round is aborted: ${ABORTS} times, under a budget of ${BUDGET}`, async () => {
    for (let round = 1; round <= ABORTS; round++) {
      await openMemoryRound(task);
      assert.equal(await submit(), true);
      await abort();
    }
    assert.deepEqual(
      [seen.vectors.length, distinct(), seen.trained, (await journal.vectors()).length],
      [ABORTS, 1, 1, 1],
    );
    assert.equal(seen.masked.size, ABORTS, "masks are never shared again");
  }).timeout(120_000);

  it("are others only once a settlement counts the client, and end with its budget", async () => {
    for (let round = 1n; round <= BigInt(BUDGET); round += 1n) {
      await openMemoryRound(task);
      await submit();
      await settle(round);
      await abort();
      assert.equal(distinct(), Number(round));
    }
    await openMemoryRound(task);
    await rejectsCode(submit(), "PRIVACY_BUDGET_SPENT");
    assert.equal(await createClientStep(client(task.clients[0]!))(), "done");
    assert.equal(seen.trained, BUDGET);
  });

  /** The client's chain, where blocks take time to become final. */
  const cautious = (): TaskWriter => ({ ...task.clients[0]!, look: task.reader(CONFIRMATIONS).look });

  it("are in one sum each, though a reorganisation settles the round that the chain had shown as aborted", async () => {
    const chain = cautious();
    await openMemoryRound(task);
    await submit(chain);
    await submitOthers(1n);
    const [before, time] = [task.chain.snapshot(), task.chain.nextTime];
    await abort();
    await openMemoryRound(task);
    assert.deepEqual(await submit(chain), { heldBy: 1n });
    assert.equal(seen.vectors.length, 1, "nobody has anything that a fork of the chain may take");
    task.chain.restore(before);
    task.chain.setTime(time);
    await settleOnAll(1n);
    await abort();
    await openMemoryRound(task);
    assert.deepEqual(await submit(chain), { heldBy: 1n }, "a settlement that is not final makes room for no other");
    task.chain.mine(CONFIRMATIONS);
    assert.equal(await submit(chain), true);
    assert.equal(distinct(), 2);
  });

  it("wait in a round that collects for the end of the one before to be final, and are shared as soon as it is", async () => {
    const chain = cautious();
    await openMemoryRound(task);
    assert.equal(await createClientStep(client(chain))(), "acted");
    await abort();
    const aborted = task.chain.blockNumber;
    const step = createClientStep(client(chain));
    await openMemoryRound(task);
    for (; task.chain.blockNumber < aborted + CONFIRMATIONS; task.chain.mine()) assert.equal(await step(), "waiting");
    assert.deepEqual(
      said.filter(({ event }) => event === "held"),
      [{ level: "info", event: "held", facts: { round: 2n, heldBy: 1n } }],
    );
    assert.equal(await journal.satOut(2n), false);
    assert.equal(await step(), "acted");
    assert.deepEqual([seen.vectors.length, distinct(), seen.trained], [2, 1, 1]);
    assert.equal((await chain.records(2n)).submitted.length, 1);
  });
});
