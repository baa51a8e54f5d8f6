import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createClientStep } from "../../client/client-loop.ts";
import type { TaskAudit } from "../../auditor/audit-task.ts";
import type { Finding } from "../../auditor/checklist.ts";
import type { ClientLoopDependencies } from "../../client/client-loop.ts";
import { recordsOf } from "../../chain/round-records.ts";
import type { ModelRecord, TaskWriter } from "../../chain/task-chain.ts";
import type { AuditedModelRecord } from "../../client/journal.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { rejectsCode } from "../support/errors.ts";
import { finalizeMemoryRound, openMemoryRound, openMemoryTask, settleMemoryRound } from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";
import { word } from "../support/random.ts";

/** An audit that finds nothing wrong, and arrives at this model. */
const passed = (record: ModelRecord): TaskAudit => ({
  findings: [],
  ok: true,
  model: { record, state: { weights: new Int32Array(0), kept: [new Int32Array(0)] } },
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

/** A task at round 2, still collecting, whose round 1 is final. */
async function collecting(): Promise<TaskWriter> {
  const task = await history("one");
  await openMemoryRound(task);
  return task.clients[0]!;
}

function dependencies(
  chain: TaskWriter,
  audit: ClientLoopDependencies["audit"],
  submitted: string[],
): ClientLoopDependencies {
  return {
    chain: {
      ...chain,
      records: (round: bigint) => {
        submitted.push("trains");
        return chain.records(round);
      },
    },
    task: { parameters: { maxRounds: 0 } },
    journal: { audited: () => Promise.resolve(undefined), setAudited: () => Promise.resolve() },
    reporter: { say: () => undefined, wait: () => undefined },
    audit,
  } as unknown as ClientLoopDependencies;
}

describe("the client's loop", () => {
  it("does not train on a model whose audit was broken off: it audits again", async () => {
    const submitted: string[] = [];
    let audits = 0;
    const step = createClientStep(
      dependencies(
        await collecting(),
        () => {
          audits += 1;
          return Promise.reject(new VerisumError("CHAIN_UNREACHABLE", "away"));
        },
        submitted,
      ),
    );
    await rejectsCode(step(), "CHAIN_UNREACHABLE");
    await rejectsCode(step(), "CHAIN_UNREACHABLE");
    assert.equal(audits, 2);
    assert.deepEqual(submitted, []);
  });

  it("waits for content that is away, and ends only when a check fails", async () => {
    const red = (code: "IPFS_UNAVAILABLE" | "MODEL_DIGEST_MISMATCH"): Finding => ({
      round: 1,
      check: "model",
      ok: false,
      detail: "",
      code,
    });
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
    assert.deepEqual(submitted, ["trains"]);
  });

  it("does not take a model for audited that was replaced while it audited", async () => {
    const submitted: string[] = [];
    const kept: AuditedModelRecord[] = [];
    const deps = dependencies(
      await collecting(),
      (_, round) => Promise.resolve(passed({ round, cid: "0x", digest: word("another") })),
      submitted,
    );
    const journal = {
      ...deps.journal,
      setAudited: (record: AuditedModelRecord) => Promise.resolve(void kept.push(record)),
    };
    const step = createClientStep({ ...deps, journal });
    await rejectsCode(step(), "CHAIN_REORGANISED");
    assert.deepEqual([kept, submitted], [[], []]);
  });

  it("audits again from the start when the chain no longer says of the audited round what it said then", async () => {
    const audits: [bigint, bigint][] = [];
    let remembered: AuditedModelRecord | undefined;
    // A reorganisation: the endpoint tells another history.
    let chain = (await history("one", "two")).clients[0]!;
    const start = (): ReturnType<typeof createClientStep> => {
      const audit = async (after: bigint, until: bigint): Promise<TaskAudit> => {
        audits.push([after, until]);
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
          setAudited: (record: AuditedModelRecord) => {
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
    assert.deepEqual(remembered, { round: 4n, modelDigest: word("four model digest") });
  });
});
