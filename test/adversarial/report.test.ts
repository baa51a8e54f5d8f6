import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { emptied, falsified } from "./rpc-faults.ts";
import { spread } from "./part.ts";
import { partReport, reportOf, reportSchema, tableOf } from "./report.ts";
import { Tally } from "./tally.ts";

function tallyAt(times: readonly number[]): Tally {
  const left = [...times];
  return new Tally(undefined, () => left.shift()!);
}

describe("the report of faults", () => {
  it("counts a fault as survived once a round became final after it", () => {
    const tally = tallyAt([1000, 2000, 7000, 7000, 9000]);
    tally.inject("reset");
    tally.inject("null");
    tally.roundFinal();
    tally.inject("null");
    const part = partReport("endpoint", tally, { seconds: 1 });
    assert.deepEqual(
      [part.injected, part.survived, part.faults, part.meanRecoverySeconds],
      [3, 2, { reset: 1, null: 2 }, 5.5],
    );
    assert.equal(reportOf([part]).ok, false);
  });

  it("is not well when a role accuses another one, or when an occasion did not come", () => {
    const accusing = new Tally();
    accusing.note({ role: "member 1", time: 0, event: "bad-release", level: "warn", text: "seat 2", facts: {} });
    const accused = partReport("endpoint", accusing, { seconds: 1 });
    assert.equal(accused.broken["honest parties blamed"], 1);
    assert.equal(reportOf([accused]).ok, false);
    assert.match(tableOf(reportOf([accused])), /endpoint: honest parties blamed: member 1: seat 2/);
    assert.equal(reportOf([partReport("endpoint", new Tally(), { seconds: 1, notReached: ["x"] })]).ok, false);
  });

  it("has the form that its schema states", () => {
    const report = reportOf([partReport("endpoint", new Tally(), { seconds: 1 })]);
    assert.equal(report.ok, true);
    assert.deepEqual(reportSchema.parse(JSON.parse(JSON.stringify(report))), report);
  });
});

describe("a fault of an endpoint", () => {
  it("empties a result in its own form", () => {
    assert.deepEqual(["0x12", [1], { a: 1 }].map(emptied), ["0x", [], {}]);
  });

  it("changes every number and hash in a result, and nothing else", () => {
    assert.deepEqual(falsified([{ number: "0x1f", removed: false, topics: ["0xab"], note: "text" }]), [
      { number: "0x10", removed: false, topics: ["0xac"], note: "text" },
    ]);
  });
});

describe("a sample", () => {
  it("is spread over the list, and is the list if that is shorter", () => {
    assert.deepEqual(spread([0, 1, 2, 3, 4, 5], 3), [0, 2, 4]);
    assert.deepEqual(spread([0, 1], 3), [0, 1]);
    assert.deepEqual(spread([0, 1], undefined), [0, 1]);
  });
});
