import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createClientStep } from "../../client/client-loop.ts";
import type { TaskAudit } from "../../auditor/audit-task.ts";
import type { Finding } from "../../auditor/checklist.ts";
import type { ClientLoopDependencies } from "../../client/client-loop.ts";
import type { ModelRecord } from "../../chain/task-chain.ts";
import type { AuditedModelRecord } from "../../client/journal.ts";
import { VerisumError } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { rejectsCode } from "../support/errors.ts";
import { word } from "../support/random.ts";

/** An audit that finds nothing wrong, and arrives at this model. */
const passed = (record: ModelRecord): TaskAudit => ({
  findings: [],
  ok: true,
  model: { record, state: { weights: new Int32Array(0), kept: [new Int32Array(0)] } },
});

/** A task at round 2, still collecting, whose round 1 is final. */
function dependencies(audit: ClientLoopDependencies["audit"], submitted: string[]): ClientLoopDependencies {
  return {
    chain: {
      account: "0x01",
      round: () => Promise.resolve({ number: 2n, phase: "Collecting", submitted: 0, expected: 1 }),
      latestModel: () => Promise.resolve({ round: 1n, cid: "0x", digest: "0x" }),
      client: () => Promise.resolve({ weight: 1, activeFromRound: 0n, lastSubmittedRound: 0n, bondWei: 0n }),
      records: () => {
        submitted.push("trains");
        return Promise.resolve({ submitted: [] });
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
      dependencies(() => {
        audits += 1;
        return Promise.reject(new VerisumError("CHAIN_UNREACHABLE", "away"));
      }, submitted),
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
    const stepOver = (findings: readonly Finding[]): Promise<unknown> =>
      createClientStep(dependencies(() => Promise.resolve({ findings, ok: false, model: undefined }), []))();
    await rejectsCode(stepOver([red("IPFS_UNAVAILABLE")]), "IPFS_UNAVAILABLE");
    await rejectsCode(stepOver([red("IPFS_UNAVAILABLE"), red("MODEL_DIGEST_MISMATCH")]), "AUDIT_FAILED");
  });

  it("looks again, and does not end, while the endpoint's events lag behind its state", async () => {
    const submitted: string[] = [];
    const step = createClientStep(
      dependencies((_, round) => Promise.resolve(passed({ round, cid: "0x", digest: "0x" })), submitted),
    );
    await rejectsCode(step(), "CHAIN_EVENTS_MISSING");
    assert.deepEqual(submitted, ["trains"]);
  });

  it("does not take a model for audited that was replaced while it audited", async () => {
    const submitted: string[] = [];
    const kept: AuditedModelRecord[] = [];
    const deps = dependencies(
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
    // By round, what the chain says now.
    let models: Record<string, Hex> = { 1: word("one"), 2: word("two") };
    const at = (round: bigint): ModelRecord => ({ round, cid: "0x", digest: models[String(round)]! });
    let [latest, remembered]: [bigint, AuditedModelRecord | undefined] = [2n, undefined];
    const start = (): ReturnType<typeof createClientStep> => {
      const deps = dependencies((after, until) => {
        audits.push([after, until]);
        return Promise.resolve(passed(at(until)));
      }, []);
      return createClientStep({
        ...deps,
        chain: {
          ...deps.chain,
          // Nothing to do but to look.
          round: () => Promise.resolve({ number: 9n, phase: "Attesting", submitted: 0, expected: 1 }),
          latestModel: () => Promise.resolve(at(latest)),
          records: (round: bigint) => Promise.resolve({ finalised: { result: { modelDigest: at(round).digest } } }),
        } as unknown as ClientLoopDependencies["chain"],
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
    [latest, models] = [3n, { ...models, 3: word("three") }];
    await step();
    assert.deepEqual(audits.splice(0), [[2n, 3n]], "on from there");
    models = { 1: word("one"), 2: word("two"), 3: word("another three") };
    await step();
    assert.deepEqual(audits.splice(0), [[0n, 3n]], "replaced while it ran");
    [latest, models] = [4n, { ...models, 3: word("yet another three"), 4: word("four") }];
    await start()();
    assert.deepEqual(audits.splice(0), [[0n, 4n]], "replaced while it was stopped");
    assert.deepEqual(remembered, { round: 4n, modelDigest: word("four") });
  });
});
