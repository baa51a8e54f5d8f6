import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { enoughOf } from "../../content/straggling.ts";
import { waitsOf } from "../support/waits.ts";

const never = new Promise<void>(() => undefined);
const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("waiting for enough of many", () => {
  const patient = { isEnough: () => false, graceMs: 0, patienceMs: 500_000 };

  it("ends when all have settled, failures among them", async () => {
    await enoughOf([], patient);
    await enoughOf([after(20), Promise.reject(new Error("gone"))], patient);
  });

  it("ends a grace after enough have, whatever the others do", async () => {
    let came = 0;
    const parties = [after(10), after(20), never].map((party) => party.then(() => (came += 1)));
    const waiting = { ...patient, isEnough: () => came >= 2, graceMs: 100 };
    assert.deepEqual(await waitsOf(50, () => enoughOf(parties, waiting)), [100]);
    assert.equal(came, 2);
  });

  it("ends when its patience does", async () => {
    assert.deepEqual(await waitsOf(50, () => enoughOf([never], { ...patient, patienceMs: 50 })), [50]);
  });
});
