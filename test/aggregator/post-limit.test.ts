import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createPostLimit } from "../../aggregator/post-limit.ts";

describe("a limit on posts", () => {
  it("counts each address by itself, in windows that start again", () => {
    let now = 5;
    const allows = createPostLimit({ most: 2, windowMs: 10, clock: () => now });
    assert.deepEqual(["a", "a", "a", "b"].map(allows), [true, true, false, true]);
    now = 14;
    assert.equal(allows("a"), false);
    now = 15;
    assert.deepEqual(["a", "a", "a"].map(allows), [true, true, false]);
  });

  it("keeps no more than 10,000 addresses", () => {
    const allows = createPostLimit({ most: 1, windowMs: 10, clock: () => 0 });
    for (let address = 0; address < 10_000; address++) assert.equal(allows(`${address}`), true);
    assert.equal(allows("0"), false);
    assert.equal(allows("one more"), true);
    assert.equal(allows("0"), true, "all start again");
  });
});
