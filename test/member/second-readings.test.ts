import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { SecondReadings } from "../../member/second-readings.ts";

/** Readings of a chain that counts how often it is read anew. */
function readings(): { readonly of: SecondReadings; readonly rereads: () => number } {
  let count = 0;
  const rereadRound = async (): Promise<void> => void count++;
  return { of: new SecondReadings({ rereadRound, reread: async () => void (count += 100) }), rereads: () => count };
}

describe("a member's suspicions", () => {
  it("are confirmed by a later reading, once the chain was read anew", async () => {
    const { of, rereads } = readings();
    const first = await of.begin();
    assert.deepEqual([first("seat 2"), first("seat 2"), first("seat 3")], [false, false, false]);
    assert.equal(rereads(), 0);
    const second = await of.begin();
    assert.equal(rereads(), 1, "once for all who are suspected");
    assert.deepEqual([second("seat 2"), second("seat 4")], [true, false]);
    await of.begin();
    assert.equal(rereads(), 2);
    await of.begin();
    assert.equal(rereads(), 2, "and not where nobody is");
  });

  it("have all rounds read anew where they are of earlier ones", async () => {
    const { of, rereads } = readings();
    const first = await of.begin();
    assert.deepEqual([first("seat 2"), first("own rounds", "past"), first("seat 3")], [false, false, false]);
    await of.begin();
    assert.equal(rereads(), 100);
  });

  it("begin anew once they are forgotten", async () => {
    const { of } = readings();
    assert.equal((await of.begin())("own rounds", "past"), false);
    of.forget("own rounds");
    assert.equal((await of.begin())("own rounds", "past"), false);
    assert.equal((await of.begin())("own rounds", "past"), true);
  });

  it("are not confirmed by work that began with an earlier reading and ends late", async () => {
    const { of } = readings();
    const early = await of.begin();
    const late = await of.begin();
    assert.equal(late("seat 2"), false);
    assert.equal(early("seat 2"), false);
  });
});
