import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { openStateDirectory } from "../../storage/state-directory.ts";
import { openJournal } from "../../client/journal.ts";
import { targetIn } from "../../client/target.ts";
import { submitUpdate } from "../../client/participant.ts";
import type { ParticipantDependencies } from "../../client/participant.ts";
import type { HeldBack } from "../../client/private-vector.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { encodeModelState, modelDigest } from "../../protocol/model.ts";
import { initialState } from "../../protocol/next-model.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { loadModelState } from "../../task/checkpoint.ts";
import { rejectsCode } from "../support/errors.ts";
import { memorySubmission, openMemoryRound, openMemoryTask } from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";
import { word } from "../support/random.ts";

const HALF = { numerator: 1, denominatorBits: 1 };
const SERVER = { fractionalBits: 10, learningRate: HALF, momentum: HALF };

/** The model that the chain names. */
const COMMON = initialState(Float32Array.of(1, 2), SERVER);

describe("a client's part in a round", () => {
  let directory: string;
  let onChain: MemoryTask;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "verisum-participant-"));
    onChain = await openMemoryTask({ parameters: { genesisDigest: modelDigest(COMMON) } });
    await openMemoryRound(onChain);
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const submit = async (deps: ParticipantDependencies): Promise<boolean | HeldBack> => {
    const { baseModelCid, baseModelDigest: digest } = (await deps.chain.records(await currentRound())).opened!;
    const state = (): Promise<typeof COMMON> => loadModelState(deps.task, baseModelCid, digest);
    return submitUpdate(deps, await onChain.operator.look(), {
      number: 0n,
      digest,
      audited: Promise.resolve(),
      state,
    });
  };
  const currentRound = async (): Promise<bigint> => (await onChain.operator.round()).number;

  /** A client whose loading of the base model, the first thing that it does towards a submission, fails in this way. */
  const failing = async (
    code: "UPDATE_NOISE_OVER_BOUND" | "IPFS_UNAVAILABLE",
    attempts: string[],
  ): Promise<ParticipantDependencies> => {
    const state = await openStateDirectory(directory);
    await state.release();
    const store = {
      getFile: () => {
        attempts.push(code);
        return Promise.reject(new VerisumError(code, "as told"));
      },
    };
    return {
      chain: onChain.clients[0]!,
      task: {
        parametersHash: word("parameters"),
        parameters: { privacyBudget: 0n, dimension: 1, committeeSize: 4, maxStaleness: 0, bufferGoal: 0 },
        document: { server: SERVER },
        store,
      },
      journal: openJournal(state, "scope"),
      reporter: { say: () => undefined, wait: () => undefined },
      clock: () => 0,
    } as unknown as ParticipantDependencies;
  };

  it("draws no second noise in a round whose noise did not fit, also after a restart", async () => {
    const attempts: string[] = [];
    await rejectsCode(submit(await failing("UPDATE_NOISE_OVER_BOUND", attempts)), "UPDATE_NOISE_OVER_BOUND");
    await rejectsCode(submit(await failing("UPDATE_NOISE_OVER_BOUND", attempts)), "ROUND_SAT_OUT");
    assert.equal(attempts.length, 1);
    onChain.chain.setTime((await onChain.operator.round()).deadline);
    await onChain.operator.abort(1n);
    await openMemoryRound(onChain);
    await rejectsCode(submit(await failing("UPDATE_NOISE_OVER_BOUND", attempts)), "UPDATE_NOISE_OVER_BOUND");
    assert.equal(attempts.length, 2, "the next round is another one");
  });

  /** A client whose submission is made and kept; what it makes beside it is noted and fails. */
  const keeping = async (made: string[]): Promise<ParticipantDependencies> => {
    const deps = await failing("IPFS_UNAVAILABLE", made);
    const task = { ...deps.task, parameters: { ...onChain.parameters, privacyBudget: 0n } };
    const target = await targetIn({ ...deps, task }, await deps.chain.records(1n));
    await deps.journal.keep({ ...target, submission: memorySubmission(onChain, "kept") });
    return { ...deps, task, replicate: () => Promise.resolve() };
  };

  for (const [what, change] of [
    [
      "the client's weight",
      ({ chain }) => ({
        chain: { ...chain, client: async (account: Hex) => ({ ...(await chain.client(account)), weight: 7 }) },
      }),
    ],
    ["the parameters", ({ task }) => ({ task: { ...task, parametersHash: word("other parameters") } })],
    [
      "the members' keys",
      ({ chain }) => ({
        chain: {
          ...chain,
          roundKey: async (round: bigint, seat: number) => (seat === 2 ? word("other") : chain.roundKey(round, seat)),
        },
      }),
    ],
    [
      "the mask of the members' keys",
      ({ chain }) => ({
        chain: {
          ...chain,
          records: async (round: bigint) => {
            const records = await chain.records(round);
            return { ...records, opened: { ...records.opened!, keyMask: 0b0111n } };
          },
        },
      }),
    ],
  ] satisfies readonly (readonly [string, (deps: ParticipantDependencies) => Partial<ParticipantDependencies>])[])
    it(`sends nothing when ${what} changed since its submission was made, and never makes a second one`, async () => {
      const made: string[] = [];
      const deps = await keeping(made);
      for (let look = 0; look < 2; look++)
        await rejectsCode(submit({ ...deps, ...change(deps) }), "ROUND_EQUIVOCATION");
      assert.deepEqual([made, (await onChain.operator.records(1n)).submitted], [[], []]);
      assert.equal(await submit(deps), true, "what was made is sent once it fits again");
      const { submitted } = await onChain.operator.records(1n);
      assert.deepEqual(submitted[0]?.submission, memorySubmission(onChain, "kept"));
    });

  it("tries again what failed for another reason", async () => {
    const attempts: string[] = [];
    for (let attempt = 0; attempt < 2; attempt++)
      await rejectsCode(submit(await failing("IPFS_UNAVAILABLE", attempts)), "IPFS_UNAVAILABLE");
    assert.equal(attempts.length, 2);
  });

  it("trains on the model that the chain names and on no other, whoever serves that to one client alone", async () => {
    const marked = initialState(Float32Array.of(1, -2), SERVER);
    const trainedOn: Float32Array[] = [];
    const served = async (state: typeof COMMON): Promise<ParticipantDependencies> => {
      const deps = await failing("IPFS_UNAVAILABLE", []);
      return {
        ...deps,
        task: {
          ...deps.task,
          parameters: { ...deps.task.parameters, dimension: 2 },
          store: { getFile: () => Promise.resolve(encodeModelState(state)) },
        },
        learner: {
          update: ({ weights }: { readonly weights: Int32Array }) => {
            trainedOn.push(Float32Array.from(weights));
            return Promise.reject(new VerisumError("TRAINING_DIVERGED", "far enough"));
          },
        },
        times: { reservedSeconds: () => Promise.resolve(0) },
      } as unknown as ParticipantDependencies;
    };
    await rejectsCode(submit(await served(marked)), "MODEL_DIGEST_MISMATCH");
    assert.deepEqual(trainedOn, []);
    await rejectsCode(submit(await served(COMMON)), "TRAINING_DIVERGED");
    assert.deepEqual(trainedOn, [Float32Array.from(COMMON.weights)]);
  });
});
