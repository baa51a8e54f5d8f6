/** `fl verify` of a task with buffers, one of whose sums counts an update that starts from an older model. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { auditTask } from "../../auditor/audit-task.ts";
import type { Verdict } from "../../auditor/verdict.ts";
import { VERISUM_INTERFACE } from "../../chain/rpc.ts";
import type { RoundRecords } from "../../chain/task-chain.ts";
import type { RoundHarness } from "../support/round-harness.ts";
import { changed, flipHex } from "../support/round-tamper.ts";
import { serveRpc } from "../support/rpc-server.ts";
import type { RpcReply } from "../support/rpc-server.ts";
import { playStaleRounds } from "../support/stale-rounds.ts";
import type { StaleRounds } from "../support/stale-rounds.ts";

const ROOT = new URL("../../", import.meta.url);

describe("fl verify of rounds that do not wait", function () {
  this.timeout(400_000);
  let harness: RoundHarness;
  let stale: StaleRounds["stale"];
  let audited: Awaited<ReturnType<RoundHarness["auditor"]>>["task"];
  before(async () => {
    ({ harness, stale } = await playStaleRounds({ learning: "scripted" }));
    audited = (await harness.auditor()).task;
  });
  after(() => harness.close());

  const verify = async (
    rpc: string,
    name: string,
    ...options: readonly string[]
  ): Promise<{ readonly status: number | null; readonly verdict: Verdict; readonly errors: string }> => {
    const own = ["--peer", harness.aggregator.url, "--state", join(harness.directory, name)];
    const where = ["--contract", harness.contract, "--rpc", rpc, "--confirmations", "0", "--format", "json"];
    const child = spawn(process.execPath, ["bin/fl.mjs", "verify", ...where, ...own, ...options], { cwd: ROOT });
    const [stdout, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    const { data } = JSON.parse(stdout) as { readonly data: Verdict };
    return { status: child.exitCode, verdict: data, errors };
  };
  const firstRed = (findings: Verdict["findings"]): string => {
    const red = findings.find(({ ok }) => !ok);
    return red === undefined ? "nothing" : `${red.round} ${red.check} ${red.code}`;
  };
  /** The first red finding of an audit of altered records. */
  const withRecords = async (alter: (records: RoundRecords) => RoundRecords): Promise<string> => {
    const records = async (round: bigint): Promise<RoundRecords> => alter(await audited.chain.records(round));
    const task = { ...audited, chain: { ...audited.chain, records } };
    return firstRed((await auditTask(task, { verifier: harness.verifier })).findings);
  };
  /** In its round's records, the submission that starts from the genesis. */
  const place = (records: RoundRecords): number =>
    records.submitted.findIndex(({ client, round }) => client === stale.client && round === stale.round);
  const ofStale = (path: string, change: (old: never) => unknown): Promise<string> =>
    withRecords((records) =>
      place(records) === -1 ? records : changed(records, `submitted.${place(records)}.submission.${path}`, change),
    );

  it("is green, of its contract's identity and the older base among them", async () => {
    const { status, verdict, errors } = await verify(harness.chain.rpc, "verified");
    assert.equal(status, 0, errors);
    assert.deepEqual([firstRed(verdict.findings), verdict.lastRound], ["nothing", 2]);
    const submissions = verdict.findings.filter(({ check, round }) => check === "submission" && round === 2);
    assert.equal(submissions.filter(({ detail }) => detail.startsWith(stale.client)).length, 1);
    const [identity] = verdict.findings.filter(({ check }) => check === "deployment");
    assert.match(identity!.detail, /is the hash of its block \d+$/);
  });

  it("is red where an endpoint tells another identity of the contract, unless that is left out", async () => {
    const identity = VERISUM_INTERFACE.getFunction("deployment")!.selector;
    const endpoint = await serveRpc((requests) =>
      fetch(harness.chain.rpc, {
        method: "POST",
        body: JSON.stringify(requests.map((request) => ({ jsonrpc: "2.0", ...request }))),
        headers: { "content-type": "application/json" },
      }).then((answer) => answer.json() as Promise<RpcReply[]>),
    );
    endpoint.alter = ({ method, params }, result) =>
      method === "eth_call" && (params[0] as { readonly data: string }).data === identity
        ? flipHex(result as never)
        : result;
    const { status, verdict } = await verify(endpoint.url, "another-identity", "--round", "0");
    const skipped = await verify(endpoint.url, "skipped", "--round", "0", "--skip-deployment");
    await endpoint.close();
    assert.deepEqual([status, firstRed(verdict.findings)], [1, "0 deployment CONTRACT_MISMATCH"]);
    assert.deepEqual([skipped.status, firstRed(skipped.verdict.findings)], [0, "nothing"]);
  });

  it("is red where the update says that it starts from the newer model", async () => {
    assert.equal(await ofStale("base", () => 1n), "2 submission SUBMISSION_INVALID");
  });

  it("is red where the model that it starts from is another one", async () => {
    const red = await withRecords((records) =>
      place(records) === -1
        ? records
        : { ...records, bases: new Map(records.bases).set(0n, flipHex(records.bases.get(0n)!)) },
    );
    assert.equal(red, "2 submission SUBMISSION_INVALID");
  });

  it("is red where its base is older than the task takes", async () => {
    const strict = { ...audited, parameters: { ...audited.parameters, maxStaleness: 0 } };
    const { findings } = await auditTask(strict, { verifier: harness.verifier });
    const red = findings.filter(({ ok }) => !ok);
    assert.deepEqual(
      red.map(({ round, check, code, detail }) => [round, check, code, detail]),
      [[2, "submission", "SUBMISSION_INVALID", `${stale.client}: it starts from model 0, not of 1 to 1`]],
    );
  });

  it("is red where the sum counts it otherwise", async () => {
    const weighted = await withRecords((records) =>
      place(records) === -1 ? records : changed(records, `submitted.${place(records)}.weight`, () => 2),
    );
    assert.equal(weighted, "2 submission SUBMISSION_INVALID");
    const left = await withRecords((records) =>
      place(records) === -1
        ? records
        : changed(records, "settled.included", (set: bigint) => set ^ (1n << BigInt(stale.index))),
    );
    assert.equal(left, "2 settlement AUDIT_FAILED");
  });
});
