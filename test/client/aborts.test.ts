/** What conspiring members see of a client whose rounds they abort: over the client's own code, its journal on disk. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { TaskWriter } from "../../chain/task-chain.ts";
import { openJournal } from "../../client/journal.ts";
import type { Journal } from "../../client/journal.ts";
import { submitUpdate } from "../../client/participant.ts";
import type { ParticipantDependencies } from "../../client/participant.ts";
import { evaluatePolynomial } from "../../protocol/field.ts";
import { layoutOfTask } from "../../protocol/task.ts";
import { modelDigest } from "../../protocol/model.ts";
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
/** Each costs as much as there are rounds before it; 1,000 of them show the same (docs/privacy.md). */
const ABORTS = 100;

describe("a client's private vectors", () => {
  let directory: string;
  let task: MemoryTask;
  let journal: Journal;
  let base: ReturnType<typeof initialState>;
  /** What the threshold of members knows: each round's coordinates, and the commitments, which masks make different. */
  let seen: { vectors: string[]; masked: Set<string>; trained: number };

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
    seen = { vectors: [], masked: new Set(), trained: 0 };
    journal = await reopened();
  });
  const reopened = async (): Promise<Journal> => {
    const state = await openStateDirectory(directory);
    await state.release();
    return openJournal(state, "scope");
  };
  afterEach(() => rm(directory, { recursive: true, force: true }));

  /** The participant, whose training never gives the same twice. */
  const submit = async (chain: TaskWriter = task.clients[0]!): Promise<boolean> => {
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
    const deps = {
      chain,
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
        },
      },
      learner: {
        update: () => Promise.resolve(Float32Array.of(++seen.trained)),
        quantise: ([made]: Float32Array) => new Int32Array(task.parameters.dimension).fill(made!),
      },
      verifyOwn: () => undefined,
      replicate: () => Promise.resolve(),
      random: seededRandom(`attempt ${seen.vectors.length}`),
      reporter: { say: () => undefined, wait: () => undefined },
      clock: () => 0,
      times: { reservedSeconds: () => Promise.resolve(0), keep: () => Promise.resolve() },
    } as unknown as ParticipantDependencies;
    const round = await chain.round();
    const { digest } = await chain.latestModel();
    return submitUpdate(deps, round, {
      number: BigInt(await chain.finalisedRounds()),
      digest,
      audited: Promise.resolve(),
      state: () => Promise.resolve(base),
    });
  };
  /** The other clients submit, and the round settles on all. */
  const settle = async (round: bigint): Promise<void> => {
    for (const other of task.clients.slice(1)) await other.submit(round, memorySubmission(task, other.account));
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
    assert.equal(seen.trained, BUDGET);
  });
});
