import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { outcomeOf, verdictIn, verdictJson, verdictLine } from "../../auditor/verdict.ts";
import type { Verdict } from "../../auditor/verdict.ts";

const TASK = { contract: `0x${"ab".repeat(20)}`, chainId: "31337" };
const VERDICT: Verdict = {
  ...TASK,
  ok: false,
  lastRound: 3,
  processorMs: 1200,
  metrics: [],
  findings: [
    { round: 0, check: "keys", ok: true, detail: "as recorded" },
    { round: 3, check: "sum", ok: false, detail: "is another one", code: "AUDIT_FAILED" },
  ],
};
const [green, red] = VERDICT.findings;

describe("a verdict in one line", () => {
  const detail = "nobody has aggregate.bin of bafy1";
  const away: Verdict["findings"][number] = {
    round: 2,
    check: "aggregate",
    ok: false,
    detail,
    code: "IPFS_UNAVAILABLE",
  };

  it("is that all was verified, or that something is wrong, whatever is away beside it", () => {
    assert.equal(verdictLine({ findings: [green!], lastRound: 3 }), "VERIFIED  1 checks passed, model of round 3");
    assert.equal(verdictLine(VERDICT), "FAILED  1 of 2 checks, model of round 3");
    assert.equal(outcomeOf([green!, away, red!]), "failed");
    const { code: _, ...withoutCode } = away;
    assert.equal(outcomeOf([withoutCode]), "failed");
  });

  it("is that the audit could not be finished, and for want of what, where nodes are away", () => {
    const line = verdictLine({ findings: [green!, away], lastRound: 0 });
    assert.match(line, /^UNFINISHED .* 1 of 2 checks could not be made: nobody has aggregate\.bin of bafy1; /);
  });
});

describe("a saved verdict", () => {
  it("is read as it was written", () => {
    assert.deepEqual(verdictIn(`${verdictJson(VERDICT)}\n`, TASK), VERDICT);
  });

  for (const [what, changed] of [
    ["another contract's", { contract: `0x${"00".repeat(20)}` }],
    ["another chain's", { chainId: "1" }],
    ["good in spite of a red finding", { ok: true }],
    ["without a number of its last round", { lastRound: "3" }],
    ["without the time that it took", { processorMs: undefined }],
    ["without a list of findings", { findings: { every: true } }],
    ["with a finding that is none", { findings: [green, red, null] }],
    ["with a code that is no word", { findings: [green, { ...red, code: { $$typeof: "x" } }] }],
  ] as const)
    it(`is refused if it is ${what}`, () => {
      assert.equal(verdictIn(JSON.stringify({ data: { ...VERDICT, ...changed } }), TASK), undefined);
    });

  for (const text of ["", "null", "3", '"x"', "{}", '{"data":null}', '{"data":"x"}', "[]", JSON.stringify(VERDICT)])
    it(`is none in ${JSON.stringify(text.slice(0, 20))}`, () => {
      assert.equal(verdictIn(text, TASK), undefined);
    });
});
