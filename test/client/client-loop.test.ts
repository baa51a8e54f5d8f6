import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createClientStep } from "../../client/client-loop.ts";
import type { Finding } from "../../client/audit/checklist.ts";
import type { ClientLoopDependencies } from "../../client/client-loop.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { rejectsCode } from "../support/errors.ts";

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
    session: { parameters: { maxRounds: 0 } },
    journal: { auditedRound: () => Promise.resolve(0n), setAuditedRound: () => Promise.resolve() },
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
    const red = (code: "IPFS_UNAVAILABLE" | "MODEL_DIGEST_MISMATCH"): Finding => ({ round: 1, check: "model", ok: false, detail: "", code });
    const stepOver = (findings: readonly Finding[]): Promise<unknown> => createClientStep(dependencies(() => Promise.resolve({ findings, ok: false, model: undefined }), []))();
    await rejectsCode(stepOver([red("IPFS_UNAVAILABLE")]), "IPFS_UNAVAILABLE");
    await rejectsCode(stepOver([red("IPFS_UNAVAILABLE"), red("MODEL_DIGEST_MISMATCH")]), "AUDIT_FAILED");
  });

  it("looks again, and does not end, while the endpoint's events lag behind its state", async () => {
    const submitted: string[] = [];
    const step = createClientStep(dependencies(() => Promise.resolve({ findings: [], ok: true, model: undefined }), submitted));
    await rejectsCode(step(), "CHAIN_UNREACHABLE");
    assert.deepEqual(submitted, ["trains"]);
  });
});
