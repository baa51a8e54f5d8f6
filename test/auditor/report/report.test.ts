import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { after, before, describe, it } from "mocha";
import { makeReport } from "../../../auditor/report/make-report.ts";
import { reportHtml } from "../../../auditor/report/report-html.ts";
import { reportSections } from "../../../auditor/report/report-text.ts";
import type { TaskReport } from "../../../auditor/report/report.ts";
import { savedReportIn, reportJson } from "../../../auditor/report/saved-report.ts";
import { reportFiles, writeReport } from "../../../auditor/report/write-report.ts";
import { verdictJson, verdictOf } from "../../../auditor/verdict.ts";
import type { Verdict } from "../../../auditor/verdict.ts";
import { cidFromDigest } from "../../../content/cid.ts";
import type { OpenTask } from "../../../task/opened-task.ts";
import { startHarness } from "../../support/round-harness.ts";
import type { RoundHarness } from "../../support/round-harness.ts";

const run = promisify(execFile);
const OPTIONS = { program: "a test", now: new Date("2026-01-31T12:00:00Z") };
const HOSTILE = "<img src=x onerror=alert(1)></p><script>\"'`\u202e";

describe("a report of a verified task", function () {
  this.timeout(300_000);
  let harness: RoundHarness;
  let task: OpenTask;
  let verdict: Verdict;
  let report: TaskReport;

  before(async () => {
    harness = await startHarness({ clients: 3, learning: "scripted" });
    await harness.playRound();
    ({ task } = await harness.auditor());
    const { context } = harness.operator;
    verdict = verdictOf(await harness.audit(), {
      processorMs: 1,
      context,
      origin: { state: "development", contributors: [], says: "made here" },
    });
    report = await makeReport(task, verdict, OPTIONS);
  });
  after(() => harness.close());

  it("names the task, everybody who took part, each round with its blocks and files, committee and keys", async () => {
    const { settled, finalised, submitted } = await task.chain.records(1n);
    const members = await task.chain.members();
    assert.deepEqual(
      report.clients,
      submitted
        .map(({ client }) => ({ account: client.toLowerCase(), submitted: 1, included: 1 }))
        .sort((a, b) => (a.account < b.account ? -1 : 1)),
    );
    const [round] = report.rounds;
    assert.equal(report.rounds.length, 1);
    const event = (await task.chain.look()).events().find(({ name }) => name === "Finalised");
    assert.deepEqual(round, {
      ...{ round: 1, state: "verified", submitted: 3, included: 3 },
      proofs: submitted.reduce((sum, { submission }) => sum + submission.chunks.length, 0),
      signers: finalised!.signers.map(({ seat }) => seat),
      ...{ settlement: settled!.settlement, settledBlock: settled!.blockNumber },
      ...{ block: event!.blockNumber, transaction: finalised!.transactionHash },
      modelCid: cidFromDigest(finalised!.result.modelCid),
      modelDigest: finalised!.result.modelDigest,
      aggregateCid: cidFromDigest(finalised!.result.aggregateCid),
    });
    const html = reportHtml(verdict, report);
    for (const said of [
      report.task.contract,
      report.task.documentCid,
      report.task.name,
      round.transaction,
      round.modelCid,
      String(round.block),
      ...members.map((member) => member.toLowerCase()),
      ...report.clients.map(({ account }) => account),
      "Whoever made them can forge proofs.",
      "no proven bound (no ε)",
      `All ${verdict.findings.length} checks passed`,
    ])
      assert.ok(html.includes(said), said);
  });

  it("says of a red audit what failed, and calls no round verified that was not", async () => {
    const findings = verdict.findings.map((finding) =>
      finding.check === "aggregate"
        ? { ...finding, ok: false, detail: "is another one", code: "AUDIT_FAILED" as const }
        : finding,
    );
    const red: Verdict = { ...verdict, ok: false, findings };
    const said = await makeReport(task, red, OPTIONS);
    assert.equal(said.rounds[0]!.state, "failed");
    const unread = await makeReport(task, { findings: [] }, OPTIONS);
    assert.equal(unread.rounds[0]!.state, "unchecked");
    const html = reportHtml(red, said);
    assert.ok(html.includes("<strong>Not verified</strong>"));
    assert.ok(html.includes("FAILED: is another one [AUDIT_FAILED]"));
    assert.ok(!html.includes("What was proven"));
  });

  it("ends with the last round that was asked for", async () => {
    assert.deepEqual((await makeReport(task, verdict, { ...OPTIONS, until: 0n })).rounds, []);
  });

  it("states ε and δ as numbers and in words", () => {
    const privacy: TaskReport["privacy"] = {
      ...{ subject: "record", statement: "each record is protected", delta: 0.00001, rounds: 20, remainingRounds: 15 },
      epsilon: { rdp: { spent: 1, budget: 3 }, pld: { spent: 0.9, budget: 2.5 } },
    };
    const text = JSON.stringify(reportSections(verdict, { ...report, privacy }));
    for (const said of [
      "ε is 1 so far, and 3 after all 20 rounds",
      "δ is 0.00001",
      "e^ε = 2.718",
      "one in 100,000",
      "0.9 so far and 2.5",
    ])
      assert.ok(text.includes(said), said);
  });

  it("is written as a page that runs and fetches nothing, whatever strangers call themselves", () => {
    const hostile: TaskReport = {
      ...report,
      ...{ influence: HOSTILE, warnings: [HOSTILE] },
      task: { ...report.task, name: HOSTILE, description: HOSTILE },
    };
    const findings = [{ round: 0, check: HOSTILE, ok: true, detail: HOSTILE }];
    const html = reportHtml(
      { ...verdict, findings, keys: { state: "claimed", contributors: [], says: HOSTILE } },
      hostile,
    );
    assert.ok(!/<(script|img|link|iframe|object|form|svg|a)\b/i.test(html));
    assert.ok(!/\b(src|href)=/.test(html.replaceAll("src=x", "")));
    assert.ok(!html.includes("\u202e"));
    assert.ok(html.includes("default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;"));
  });

  it("is two files, of which the JSON holds the verdict of fl verify and is read as it was written", async () => {
    const at = join(harness.directory, "reports", "digits.html");
    assert.deepEqual(
      await writeReport(at, task, verdict, {}),
      reportFiles(join(harness.directory, "reports", "digits")),
    );
    const json = await readFile(reportFiles(at).json, "utf8");
    const { report: written, ...rest } = JSON.parse(json) as { readonly report: TaskReport };
    assert.deepEqual(rest, JSON.parse(verdictJson(verdict)));
    assert.deepEqual({ ...written, writtenAt: "", program: "" }, { ...report, writtenAt: "", program: "" });
    assert.match(await readFile(at, "utf8"), /^<!doctype html>/);
    const of = { contract: verdict.contract, chainId: verdict.chainId };
    assert.deepEqual(savedReportIn(json, of), { verdict: JSON.parse(JSON.stringify(verdict)), report: written });
    assert.deepEqual(savedReportIn(verdictJson(verdict), of)?.report, undefined);
    for (const damaged of [
      reportJson(verdict, { ...report, task: { ...report.task, chainId: "1" } }),
      reportJson(verdict, { ...report, rounds: "none" } as unknown as TaskReport),
      reportJson({ ...verdict, chainId: "1" }, report),
    ])
      assert.equal(savedReportIn(damaged, of), undefined);
  });

  it("comes from fl verify --report, and the verdict that it prints is the one in the file", async () => {
    const at = join(harness.directory, "reports", "by-command");
    const words = ["--contract", harness.contract, "--rpc", harness.chain.rpc, "--confirmations", "0"];
    const own = ["--peer", harness.aggregator.url, "--state", join(harness.directory, "commanded")];
    const { stdout, stderr } = await run(process.execPath, [
      ...["bin/fl.mjs", "verify", "--format", "json", "--report", `${at}.json`],
      ...words,
      ...own,
    ]);
    assert.ok(stderr.includes(`${at}.html`), stderr);
    const { report: written, ...rest } = JSON.parse(await readFile(`${at}.json`, "utf8")) as {
      readonly report: TaskReport;
    };
    assert.deepEqual(rest, JSON.parse(stdout));
    assert.deepEqual(written.rounds, report.rounds);
    assert.ok((await readFile(`${at}.html`, "utf8")).includes("<strong>Verified</strong>"));
  });
});
