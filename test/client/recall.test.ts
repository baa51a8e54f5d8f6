/** What a client does whose directory came back from before its last submissions: over its own journal on disk. */
import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { TaskLook } from "../../chain/task-chain.ts";
import { createAhead } from "../../client/ahead.ts";
import type { Ahead } from "../../client/ahead.ts";
import { createClientStep } from "../../client/client-loop.ts";
import type { ClientLoopDependencies } from "../../client/client-loop.ts";
import { openJournal } from "../../client/journal.ts";
import type { Journal } from "../../client/journal.ts";
import { hasBudgetLeft } from "../../client/privacy-ledger.ts";
import { createRecall } from "../../client/recall.ts";
import { targetIn } from "../../client/target.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { openStateDirectory } from "../../storage/state-directory.ts";
import { rejectsCode } from "../support/errors.ts";
import { memoryAttestations, memorySubmission, openMemoryRound, openMemoryTask } from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";
import { word } from "../support/random.ts";
import { createRecorder } from "../support/round-recorder.ts";

const BUFFER = { bufferGoal: 4, maxStaleness: 2, minSeparation: 1, minCollectSeconds: 0, maxRounds: 0 };
const LEDGER = { privacyBudget: 9n, privacyCostPerRound: 1n };

describe("a client whose directory is older than what the chain has of it", () => {
  let directory: string;
  let journal: Journal;
  let task: MemoryTask;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "verisum-recall-"));
    task = await openMemoryTask({ parameters: { ...BUFFER, ...LEDGER }, weights: Array(8).fill(1) });
    journal = await open("now");
    const { digest } = await task.operator.latestModel();
    await journal.keepVector({
      base: 0n,
      firstRound: 1n,
      baseModelDigest: digest,
      coordinates: Int32Array.of(1, 2),
    });
    await cp(join(directory, "now"), join(directory, "before"), { recursive: true });
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const open = async (name: string): Promise<Journal> => {
    const state = await openStateDirectory(join(directory, name));
    await state.release();
    return openJournal(state, "scope");
  };
  /** The client shares its vector in the next round. */
  const share = async (): Promise<void> => {
    const round = await openMemoryRound(task);
    const own = task.clients[0]!;
    const parametersHash = await own.parametersHash();
    const target = await targetIn({ chain: own, task: { ...task, parametersHash } }, await own.records(round));
    const submission = memorySubmission(task, `own ${round}`);
    await journal.keep({ ...target, submission });
    await own.submit(round, submission);
  };
  /** The others fill the buffer, and the round settles on all in it. */
  const settle = async (): Promise<void> => {
    const { number } = await task.operator.round();
    for (const client of task.clients.slice(1, 4)) await client.submit(number, memorySubmission(task, client.account));
    await task.operator.settle(number, await memoryAttestations(task), 0b1111n, []);
  };
  const abort = async (): Promise<void> => {
    const { number, deadline } = await task.operator.round();
    task.chain.setTime(deadline);
    await task.operator.abort(number);
  };
  const aheadOf = (of: Journal): Ahead =>
    createAhead({
      chain: task.clients[0]!,
      ...{ task, journal: of, reporter: createRecorder() },
    } as unknown as ClientLoopDependencies);
  /** @param confirmations blocks on top that make a block final */
  const recalled = async (of: Journal, confirmations = 0): Promise<TaskLook> => {
    const look = await task.reader(confirmations).look();
    await createRecall({ chain: task.clients[0]!, journal: of, reporter: createRecorder() })(look);
    return look;
  };

  it("shares nothing again that a settlement counts, and counts it itself, though its journal knows of no submission", async () => {
    await share();
    await settle();
    await abort();
    const old = await open("before");
    const look = await recalled(old);
    assert.equal(await aheadOf(old).held(look), undefined);
    const { maxRoundsPerClient } = task.parameters;
    const parameters = { ...LEDGER, maxRoundsPerClient, privacyBudget: 1n };
    assert.equal(await hasBudgetLeft({ task: { parameters }, journal: old }), false);
    const [made] = await journal.submissions();
    assert.deepEqual(await old.submissions(), [{ ...made, isLost: true }]);
    await rejectsCode(old.find(1n, made!.baseModelDigest!), "ROUND_RECORD_DAMAGED");
  });

  it("notes one of another base than what it made for the round and a reorganisation dropped", async () => {
    const old = await open("before");
    const dropped = { round: 1n, baseModelDigest: word("dropped") };
    await old.loseSubmission(dropped);
    await share();
    await recalled(old);
    const bases = (await old.submissions()).map(({ baseModelDigest }) => baseModelDigest);
    assert.deepEqual(new Set(bases), new Set([dropped.baseModelDigest, (await task.operator.latestModel()).digest]));
  });

  it("holds back what a round took that its journal does not know, until that is final", async () => {
    await share();
    await abort();
    const old = await open("before");
    assert.deepEqual(await aheadOf(old).held(await recalled(old, 50)), { heldBy: 1n });
    task.chain.mine(50);
    const vector = await aheadOf(old).held(await recalled(old, 50));
    assert.equal(vector !== undefined && "base" in vector && vector.base, 0n, "it is in no sum");
  });

  it("learns it as the chain's endpoint catches up, and by what it does itself it learns nothing", async () => {
    const old = await open("before");
    const reporter = createRecorder();
    const recall = createRecall({ chain: task.clients[0]!, journal: old, reporter });
    await recall(await task.operator.look());
    await share();
    await settle();
    await abort();
    await openMemoryRound(task);
    for (let looks = 0; looks < 2; looks++) await recall(await task.operator.look());
    assert.deepEqual(reporter.facts("recalled"), [{ round: 1n }]);
    await recalled(journal);
    assert.notEqual(await journal.find(1n, (await task.operator.latestModel()).digest), undefined);
  });

  it("goes on with another vector in the round after it came back, and makes nothing of the old one", async () => {
    await share();
    await settle();
    await abort();
    await openMemoryRound(task);
    const nothing = (): never => assert.fail("it makes or sends something");
    const old = await open("before");
    const step = createClientStep({
      ...{ chain: { ...task.clients[0]!, submit: nothing }, journal: old, reporter: createRecorder() },
      task: {
        ...{ parameters: task.parameters, parametersHash: await task.operator.parametersHash() },
        document: { server: { fractionalBits: 10 } },
        store: { putDirectory: nothing, getFile: () => Promise.reject(new VerisumError("IPFS_UNAVAILABLE", "away")) },
      },
      audit: async () => ({
        ...{ findings: [], ok: true, metrics: [] },
        model: { record: await task.operator.latestModel(), state: {} },
      }),
      prover: { commitWires: nothing, prove: nothing },
      clock: () => 0,
    } as unknown as ClientLoopDependencies);
    await rejectsCode(step(), "IPFS_UNAVAILABLE");
    assert.equal((await old.submissions()).length, 1);
  });
});
