import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createClientStep } from "../../client/client-loop.ts";
import type { TaskAudit } from "../../auditor/audit-task.ts";
import type { Finding } from "../../auditor/checklist.ts";
import type { ClientLoopDependencies } from "../../client/client-loop.ts";
import { recordsOf } from "../../chain/round-records.ts";
import type { ModelRecord, TaskWriter } from "../../chain/task-chain.ts";
import type { AuditedRound } from "../../auditor/continued-audit.ts";
import { targetIn } from "../../client/target.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { encodeModelState, modelDigest } from "../../protocol/model.ts";
import { initialState } from "../../protocol/next-model.ts";
import type { Submission } from "../../protocol/submission.ts";
import { withSecondLook } from "../../task/second-look.ts";
import { rejectsCode } from "../support/errors.ts";
import {
  finalizeMemoryRound,
  memorySubmission,
  openMemoryRound,
  openMemoryTask,
  settleMemoryRound,
} from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";
import { word } from "../support/random.ts";
import { TINY_TASK } from "../support/tiny-task.ts";

/** An audit that finds nothing wrong, and arrives at this model. */
const passed = (record: ModelRecord): TaskAudit => ({
  findings: [],
  ok: true,
  model: { record, state: { weights: new Int32Array(0), kept: [new Int32Array(0)] } },
  metrics: [],
});

/** A task whose rounds finalised with these models, one after the other, and in which nothing else is to be done. */
async function history(...models: readonly string[]): Promise<MemoryTask> {
  const task = await openMemoryTask();
  for (const model of models) {
    const round = await openMemoryRound(task);
    await settleMemoryRound(task, round);
    await finalizeMemoryRound(task, round, model);
  }
  return task;
}

const SERVER = {
  fractionalBits: 10,
  learningRate: { numerator: 1, denominatorBits: 1 },
  momentum: { numerator: 1, denominatorBits: 1 },
};
/** What round 1 led to. */
const MODEL = initialState(Float32Array.of(1, 2), SERVER);

/** A task at round 2, still collecting, whose round 1 is final. */
async function collecting(): Promise<TaskWriter> {
  const task = await openMemoryTask();
  const round = await openMemoryRound(task);
  await settleMemoryRound(task, round);
  await finalizeMemoryRound(task, round, "one", modelDigest(MODEL));
  await openMemoryRound(task);
  return task.clients[0]!;
}

/** A client that notes what it does; it gets no further than to encode its update. */
function dependencies(
  chain: TaskWriter,
  audit: ClientLoopDependencies["audit"],
  done: string[],
  kept?: Submission,
): ClientLoopDependencies {
  const note = (what: string): Promise<undefined> => Promise.resolve(void done.push(what));
  return {
    chain: { ...chain, submit: () => note("sends") },
    task: {
      parameters: { ...TINY_TASK, dimension: 2 },
      parametersHash: word("parameters"),
      document: { server: SERVER },
      store: { getFile: () => Promise.resolve(encodeModelState(MODEL)) },
    },
    learner: {
      update: async () => {
        await note("trains");
        return Float32Array.of(0, 0);
      },
      quantise: () => {
        done.push("encodes");
        throw new VerisumError("CHAIN_UNREACHABLE", "as far as it gets");
      },
    },
    journal: {
      audited: () => Promise.resolve(undefined),
      setAudited: () => note("remembers"),
      find: async (round: bigint) => {
        const task = { parameters: { committeeSize: 4, maxStaleness: 0 }, parametersHash: word("parameters") };
        return kept && { ...(await targetIn({ chain, task }, await chain.records(round))), submission: kept };
      },
      satOut: () => Promise.resolve(false),
      ...{ vectors: () => Promise.resolve([]), loseSubmission: () => Promise.resolve() },
      submissions: () => Promise.resolve(kept === undefined ? [] : [{ round: 1n }]),
    },
    ...{ replicate: () => note("replicates"), spread: () => undefined },
    verifyAhead: (round: bigint) => note(`verifies ${round} ahead`),
    clock: () => 0,
    times: {
      keep: () => note("measures"),
      warn: () => Promise.resolve(),
      reservedSeconds: () => Promise.resolve(0),
      whyLate: () => Promise.resolve("60 would do"),
    },
    reporter: { say: () => undefined, wait: () => undefined },
    audit,
  } as unknown as ClientLoopDependencies;
}

const red = (code: "IPFS_UNAVAILABLE" | "MODEL_DIGEST_MISMATCH"): Finding => ({
  round: 1,
  check: "model",
  ok: false,
  detail: "",
  code,
});
const refusing: ClientLoopDependencies["audit"] = () =>
  Promise.resolve({ findings: [red("MODEL_DIGEST_MISMATCH")], ok: false, model: undefined });

describe("the client's loop", () => {
  it("trains while the audit of the base runs, and encodes nothing before it has passed", async () => {
    const done: string[] = [];
    const chain = await collecting();
    let pass: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => (pass = resolve));
    const audit = async (): Promise<TaskAudit> => {
      await waiting;
      return passed(await chain.latestModel());
    };
    const step = createClientStep(dependencies(chain, audit, done))();
    step.catch(() => undefined);
    while (done.length === 0) await new Promise(setImmediate);
    for (let turns = 0; turns < 50; turns++) await new Promise(setImmediate);
    assert.deepEqual(done, ["trains"]);
    pass();
    await rejectsCode(step, "CHAIN_UNREACHABLE");
    assert.deepEqual(done, ["trains", "remembers", "encodes"]);
  });

  it("lets nothing leave when the audit of the base fails, neither a new submission nor a kept one", async () => {
    const done: string[] = [];
    const chain = await collecting();
    await rejectsCode(createClientStep(dependencies(chain, refusing, done))(), "AUDIT_FAILED");
    assert.deepEqual(done.splice(0), ["trains"]);
    const kept = { sharesCid: word("shares") } as Submission;
    await rejectsCode(createClientStep(dependencies(chain, refusing, done, kept))(), "AUDIT_FAILED");
    assert.deepEqual(done, []);
  });

  it("does not train in a round that starts from another model than the one under audit", async () => {
    const done: string[] = [];
    const chain = await collecting();
    const records: TaskWriter["records"] = async (round) => {
      const { opened, ...rest } = await chain.records(round);
      return { ...rest, opened: opened!, bases: new Map([[opened!.baseModel, word("another model")]]) };
    };
    const audit = async (): Promise<TaskAudit> => passed(await chain.latestModel());
    const step = createClientStep(dependencies({ ...chain, records }, audit, done));
    await rejectsCode(step(), "CHAIN_REORGANISED");
    assert.equal(done.includes("trains"), false);
  });

  it("verifies a round's submissions once while the committee works on them, when the base's audit has passed", async () => {
    const done: string[] = [];
    const task = await openMemoryTask();
    const round = await openMemoryRound(task);
    await settleMemoryRound(task, round);
    const [chain] = task.clients as [TaskWriter];
    const step = createClientStep(dependencies(chain, async () => passed(await chain.latestModel()), done));
    assert.deepEqual([await step(), await step()], ["waiting", "waiting"]);
    assert.deepEqual(done, ["verifies 1 ahead"]);
  });

  for (const [when, code] of [
    ["is refused", "CHAIN_REVERTED"],
    ["is never mined", "CHAIN_TRANSACTION_LOST"],
  ] as const)
    it(`says that a submission came too late that ${when} because the phase ended, and counts itself out`, async () => {
      const task = await openMemoryTask();
      await openMemoryRound(task);
      const chain = task.clients[0]!;
      const said: string[] = [];
      const waits: string[] = [];
      const kept = { sharesCid: word("shares") } as Submission;
      const deps = dependencies(chain, async () => passed(await chain.latestModel()), [], kept);
      let isOver = true;
      const step = createClientStep({
        ...deps,
        chain: {
          ...chain,
          submit: () => {
            if (isOver) task.chain.setTime(task.chain.nextTime + task.parameters.collectSeconds);
            if (isOver) task.operator.abort(1n).catch(() => undefined);
            return Promise.reject(new VerisumError(code, "as told", { error: "VerisumWrongPhase" }));
          },
        },
        reporter: { say: (_, event, text) => said.push(`${event}: ${text}`), wait: (text) => waits.push(text) },
      });
      assert.equal(await step(), "acted");
      assert.ok(
        said.some((line) => line.startsWith("late: round 1: ") && line.endsWith("60 would do")),
        said.join("; "),
      );
      isOver = false;
      await openMemoryRound(task);
      assert.ok(said.splice(0).length > 0);
      if (code === "CHAIN_REVERTED") {
        assert.equal(await step(), "acted");
        assert.equal(await step(), "waiting");
        const refusals = (): string[] => said.splice(0).filter((line) => !line.startsWith("resumed"));
        assert.deepEqual(refusals(), ["refused: round 2: refused: as told"]);
        assert.equal(
          waits.at(-1),
          "round 2: this client is not in it (refused: as told); trying again at the next block",
        );
        task.chain.mine();
        assert.equal(await step(), "acted", "the next block may take it");
        assert.equal(await step(), "waiting");
        assert.deepEqual(refusals(), [], "the same refusal is said once");
      } else await rejectsCode(step(), code);
    });

  it("does not say that it tries again in a round that it sits out", async () => {
    const chain = await collecting();
    const deps = dependencies(chain, async () => passed(await chain.latestModel()), []);
    const waits: string[] = [];
    const journal = { ...deps.journal, satOut: () => Promise.resolve(true) };
    const reporter = { say: () => undefined, wait: (text: string) => void waits.push(text) };
    const step = createClientStep({ ...deps, journal, reporter });
    assert.deepEqual([await step(), await step()], ["acted", "waiting"]);
    assert.match(waits.at(-1)!, /^round 2: this client is not in it \(refused: this round is sat out: .*\)$/);
  });

  /** A task that collects, and a client in it that has its submission made. */
  async function submitting(
    change: Partial<ClientLoopDependencies> = {},
    confirmations = 0,
  ): Promise<{
    readonly task: MemoryTask;
    readonly step: ReturnType<typeof createClientStep>;
    readonly waits: string[];
    readonly submitted: () => Promise<readonly Submission[]>;
  }> {
    const task = await openMemoryTask({ weights: [1, 1, 1, 1] });
    await openMemoryRound(task);
    const waits: string[] = [];
    const chain = { ...task.clients[0]!, look: task.reader(confirmations).look };
    const made = memorySubmission(task, "made once");
    const deps = dependencies(chain, async () => passed(await chain.latestModel()), [], made);
    const reporter = { say: () => undefined, wait: (text: string) => void waits.push(text) };
    const step = createClientStep({ ...deps, chain, reporter, ...change });
    const submitted = async (): Promise<readonly Submission[]> =>
      (await chain.records(1n)).submitted.map(({ submission }) => submission);
    return { task, step, waits, submitted };
  }

  it("sends what a reorganisation dropped again, byte for byte, as often as it is dropped", async () => {
    const { task, step, waits, submitted } = await submitting();
    const before = task.chain.snapshot();
    const firsts: unknown[] = [];
    for (let branch = 0; branch < 3; branch++) {
      task.chain.restore(before);
      assert.equal(await step(), "acted", `branch ${branch}`);
      firsts.push(await submitted());
      assert.equal(await step(), "waiting");
      assert.equal(waits.at(-1), "round 1: submitted; 1/4 clients are in");
    }
    assert.deepEqual(firsts, Array(3).fill([memorySubmission(task, "made once")]));
  });

  it("says that it is not in when its submission was dropped and the phase is over", async () => {
    const { task, step, waits } = await submitting();
    const before = task.chain.snapshot();
    assert.equal(await step(), "acted");
    task.chain.restore(before);
    for (const other of task.clients.slice(1)) await other.submit(1n, memorySubmission(task, other.account));
    task.chain.setTime((await task.operator.round()).deadline);
    assert.equal(await step(), "waiting");
    assert.equal(waits.at(-1), "round 1: Attesting, waiting for the committee; this client is not in it");
  });

  it("ends after its number of rounds, but not before its last submission is final", async () => {
    const { task, step, submitted } = await submitting({ rounds: 1 }, 2);
    const before = task.chain.snapshot();
    assert.deepEqual([await step(), await step()], ["acted", "waiting"]);
    task.chain.restore(before);
    task.chain.mine(3);
    assert.deepEqual([await step(), await step()], ["acted", "waiting"], "another branch, without it");
    task.chain.mine(2);
    const ended = withSecondLook(step, { reread: () => Promise.resolve() }, (progress) => progress === "done");
    assert.deepEqual([await ended(), await ended()], ["done", "done"], "it trains for no other round");
    assert.equal((await submitted()).length, 1);
  });

  it("encodes nothing while the audit of the base is broken off: it audits again", async () => {
    const done: string[] = [];
    let audits = 0;
    const step = createClientStep(
      dependencies(
        await collecting(),
        () => {
          audits += 1;
          return Promise.reject(new VerisumError("CHAIN_UNREACHABLE", "away"));
        },
        done,
      ),
    );
    await rejectsCode(step(), "CHAIN_UNREACHABLE");
    await rejectsCode(step(), "CHAIN_UNREACHABLE");
    assert.equal(audits, 2);
    assert.deepEqual(done, ["trains", "trains"]);
  });

  it("waits for content that is away, and ends only when a check fails", async () => {
    const chain = await collecting();
    const stepOver = (findings: readonly Finding[]): Promise<unknown> =>
      createClientStep(dependencies(chain, () => Promise.resolve({ findings, ok: false, model: undefined }), []))();
    await rejectsCode(stepOver([red("IPFS_UNAVAILABLE")]), "IPFS_UNAVAILABLE");
    await rejectsCode(stepOver([red("IPFS_UNAVAILABLE"), red("MODEL_DIGEST_MISMATCH")]), "AUDIT_FAILED");
  });

  it("looks again, and does not end, while the endpoint's events lag behind its state", async () => {
    const submitted: string[] = [];
    const chain = await collecting();
    const lagging = { ...chain, records: (round: bigint) => Promise.resolve(recordsOf([], round)) };
    const audit = async (): Promise<TaskAudit> => passed(await chain.latestModel());
    const step = createClientStep(dependencies(lagging, audit, submitted));
    await rejectsCode(step(), "CHAIN_EVENTS_MISSING");
    assert.equal(submitted.includes("trains"), false);
  });

  it("does not take a model for audited that was replaced while it audited", async () => {
    const submitted: string[] = [];
    const kept: AuditedRound[] = [];
    const deps = dependencies(
      await collecting(),
      (_, round) => Promise.resolve(passed({ round, cid: "0x", digest: word("another") })),
      submitted,
    );
    const journal = {
      ...deps.journal,
      setAudited: (record: AuditedRound) => Promise.resolve(void kept.push(record)),
    };
    const step = createClientStep({ ...deps, journal });
    await rejectsCode(step(), "CHAIN_REORGANISED");
    assert.deepEqual([kept, submitted], [[], ["trains"]]);
  });

  it("audits again from the start when the chain no longer says of the audited round what it said then", async () => {
    const audits: [bigint, bigint][] = [];
    let remembered: AuditedRound | undefined;
    // A reorganisation: the endpoint tells another history.
    let chain = (await history("one", "two")).clients[0]!;
    const start = (): ReturnType<typeof createClientStep> => {
      const audit = async (after: AuditedRound | undefined, until: bigint): Promise<TaskAudit> => {
        audits.push([after?.round ?? 0n, until]);
        return passed(await chain.latestModel());
      };
      const deps = dependencies(chain, audit, []);
      return createClientStep({
        ...deps,
        get chain() {
          return chain;
        },
        journal: {
          ...deps.journal,
          audited: () => Promise.resolve(remembered),
          setAudited: (record: AuditedRound) => {
            remembered = record;
            return Promise.resolve();
          },
        },
      });
    };
    const step = start();
    await step();
    await start()();
    assert.deepEqual(audits.splice(0), [[0n, 2n]], "once, also over a restart");
    chain = (await history("one", "two", "three")).clients[0]!;
    await step();
    assert.deepEqual(audits.splice(0), [[2n, 3n]], "on from there");
    chain = (await history("one", "two", "another three")).clients[0]!;
    await step();
    assert.deepEqual(audits.splice(0), [[0n, 3n]], "replaced while it ran");
    chain = (await history("one", "two", "yet another three", "four")).clients[0]!;
    await start()();
    assert.deepEqual(audits.splice(0), [[0n, 4n]], "replaced while it was stopped");
    assert.deepEqual(remembered, {
      round: 4n,
      modelDigest: word("four model digest"),
      parametersHash: word("parameters"),
    });
  });
});
