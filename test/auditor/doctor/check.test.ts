import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { ok, runChecks, source } from "../../../auditor/doctor/check.ts";
import type { Check, Finding, NamedFinding } from "../../../auditor/doctor/check.ts";
import { doctorReportSchema, reportJson, reportText } from "../../../auditor/doctor/report.ts";
import { VerisumError } from "../../../protocol/errors.ts";
import { rejectsCode } from "../../support/errors.ts";

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);
const run = (checks: readonly Check[], timeoutMs = 1_000): Promise<readonly NamedFinding[]> =>
  runChecks(checks, { timeoutMs, signal: new AbortController().signal });
const states = (findings: readonly NamedFinding[]): readonly string[] =>
  findings.map(({ check, state }) => `${check} ${state}`);

describe("the doctor's checks", () => {
  it("go on whatever one of them throws, and are told in order", async () => {
    const findings = await run([
      {
        name: "broken",
        run: () => {
          throw new TypeError("a defect");
        },
      },
      { name: "refused", run: () => Promise.reject(new VerisumError("CHAIN_NO_CONTRACT", "none at 0x1")) },
      { name: "late", run: async () => new Promise((resolve) => setTimeout(() => resolve(ok("slow")), 20)) },
      { name: "early", run: async () => ok("quick") },
    ]);
    assert.deepEqual(states(findings), ["broken failed", "refused failed", "late ok", "early ok"]);
    assert.match(findings[0]!.cause!, /a defect/);
    assert.equal(findings[1]!.code, "CHAIN_NO_CONTRACT");
    assert.equal(findings[1]!.cause, "none at 0x1");
    assert.notEqual(findings[1]!.remedy, undefined);
  });

  it("have a time limit each, and run side by side", async () => {
    let meet: (finding: Finding) => void = () => undefined;
    const met = new Promise<Finding>((resolve) => (meet = resolve));
    // The first ends only when the last has begun.
    const last = async (): Promise<Finding> => (meet(ok("met")), ok("here"));
    const checks = [
      { name: "one", run: never },
      { name: "two", run: () => met },
      { name: "three", run: last },
    ];
    assert.deepEqual(states(await run(checks, 1000)), ["one failed", "two ok", "three ok"]);
  });

  it("are skipped where what they need failed or is late, which is asked for once", async () => {
    let asked = 0;
    const chain = source("the chain", () => {
      asked += 1;
      return Promise.reject(new VerisumError("CHAIN_UNREACHABLE", "away"));
    });
    const silent = source("the contract", () => never<number>());
    const findings = await run(
      [
        { name: "chain", run: async () => ok(String(await chain.get())) },
        { name: "funds", run: async (need) => ok(String(await need(chain))) },
        { name: "clock", run: async (need) => ok(String(await need(chain))) },
        { name: "keys", run: async (need) => ok(String(await need(silent))) },
      ],
      100,
    );
    assert.deepEqual(states(findings), ["chain failed", "funds skipped", "clock skipped", "keys skipped"]);
    assert.match(findings[1]!.cause!, /the chain/);
    assert.match(findings[3]!.cause!, /the contract/);
    assert.equal(asked, 1);
  });

  it("end at once when they are told to", async () => {
    const controller = new AbortController();
    const running = runChecks([{ name: "one", run: never }], { timeoutMs: 60_000, signal: controller.signal });
    controller.abort();
    await rejectsCode(running, "INTERRUPTED");
    await rejectsCode(runChecks([], { timeoutMs: 1, signal: controller.signal }), "INTERRUPTED");
  });
});

describe("the doctor's report", () => {
  const findings: readonly NamedFinding[] = [
    { check: "node", state: "ok", value: "Node 22.18.0" },
    {
      check: "chain",
      state: "warning",
      value: "https://node.example/v3/topsecret does not answer",
      cause: "status 503",
      remedy: "Start it.",
    },
    { check: "funds", state: "skipped", value: "not checked", cause: "it needs the chain" },
  ];

  it("is one object of its schema for programs, failed only if a check failed", () => {
    const report = doctorReportSchema.parse(JSON.parse(reportJson(findings)));
    assert.equal(report.status, "ok");
    assert.deepEqual(
      report.data.checks.map(({ check }) => check),
      ["node", "chain", "funds"],
    );
    const bad = reportJson([...findings, { check: "disk", state: "failed", value: "0 B", code: "STORAGE_FULL" }]);
    assert.equal(doctorReportSchema.parse(JSON.parse(bad)).status, "failed");
  });

  it("says value, cause and remedy to people, and no endpoint's secret to anybody", () => {
    const text = reportText(findings);
    for (const words of ["Node 22.18.0", "status 503", "→ Start it.", "it needs the chain"])
      assert.ok(text.includes(words), words);
    assert.ok(!(text + reportJson(findings)).includes("topsecret"));
  });
});
