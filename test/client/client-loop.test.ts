import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createClientStep } from "../../client/client-loop.ts";
import type { TaskAudit } from "../../auditor/audit-task.ts";
import type { Finding } from "../../auditor/checklist.ts";
import type { ClientLoopDependencies } from "../../client/client-loop.ts";
import { recordsOf } from "../../chain/round-records.ts";
import type { ModelRecord, TaskWriter } from "../../chain/task-chain.ts";
import type { AuditedRound } from "../../auditor/continued-audit.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { encodeModelState, modelDigest } from "../../protocol/model.ts";
import { initialState } from "../../protocol/next-model.ts";
import type { Submission } from "../../protocol/submission.ts";
import { rejectsCode } from "../support/errors.ts";
import { finalizeMemoryRound, openMemoryRound, openMemoryTask, settleMemoryRound } from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";
import { word } from "../support/random.ts";

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
      parameters: { maxRounds: 0, privacyBudget: 0n, dimension: 2 },
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
      find: () => Promise.resolve(kept),
      satOut: () => Promise.resolve(false),
    },
    replicate: () => note("replicates"),
    verifyAhead: (round: bigint) => note(`verifies ${round} ahead`),
    clock: () => 0,
    times: {
      keep: () => note("measures"),
      warn: () => Promise.resolve(),
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
      return { ...rest, opened: { ...opened!, baseModelDigest: word("another model") } };
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
            if (isOver) task.operator.advance(1n).catch(() => undefined);
            return Promise.reject(new VerisumError(code, "as told", { error: "VerisumWrongPhase" }));
          },
        },
        reporter: {
          say: (_, event, text) => said.push(`${event}: ${text}`),
          wait: (text) => waits.push(text),
        },
      });
      assert.equal(await step(), "acted");
      assert.ok(
        said.some((line) => line.startsWith("late: round 1: ") && line.endsWith("60 would do")),
        said.join("; "),
      );
      isOver = false;
      await openMemoryRound(task);
      const said2 = said.splice(0).length;
      assert.ok(said2 > 0);
      if (code === "CHAIN_REVERTED") {
        assert.equal(await step(), "acted");
        assert.equal(await step(), "waiting");
        assert.ok(
          said.some((line) => line.startsWith("refused: round 2: ")),
          said.join("; "),
        );
        assert.ok(waits.at(-1)?.includes("this client is not in it"), waits.join("; "));
      } else await rejectsCode(step(), code);
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
          audited: () => Promise.resolve(remembered),
          setAudited: (record: AuditedRound) => {
            remembered = record;
            return Promise.resolve();
          },
        } as unknown as ClientLoopDependencies["journal"],
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
