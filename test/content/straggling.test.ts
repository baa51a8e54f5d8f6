import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { enoughOf } from "../../content/straggling.ts";

const never = new Promise<void>(() => undefined);
const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function secondsOf(work: Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work;
  return (performance.now() - started) / 1000;
}

describe("waiting for enough of many", () => {
  const patient = { isEnough: () => false, graceMs: 0, patienceMs: 5000 };

  it("ends when all have settled, failures among them", async () => {
    assert.ok((await secondsOf(enoughOf([], patient))) < 1);
    assert.ok((await secondsOf(enoughOf([after(20), Promise.reject(new Error("gone"))], patient))) < 1);
  });

  it("ends a grace after enough have, whatever the others do", async () => {
    let came = 0;
    const parties = [after(10), after(20), never].map((party) => party.then(() => (came += 1)));
    const seconds = await secondsOf(enoughOf(parties, { isEnough: () => came >= 2, graceMs: 100, patienceMs: 5000 }));
    assert.ok(seconds >= 0.1 && seconds < 1, String(seconds));
    assert.equal(came, 2);
  });

  it("ends when its patience does", async () => {
    assert.ok((await secondsOf(enoughOf([never], { ...patient, patienceMs: 50 }))) < 1);
  });
});
