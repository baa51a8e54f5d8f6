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

  it("counts the 2^64 addresses of an IPv6 network as one, and an IPv4 address the same however it is written", () => {
    const first = ["2001:db8:0:7::1", "2001:db8:0:7:ffff:1:2:3", "2001:db8:0:7::", "2001:db8::7:9:a:b:c"];
    const others = ["2001:db8:0:8::1", "2001:db8::1", "::1", "fe80::1:2:3:4%eth0", "10.0.0.1", "10.0.0.2"];
    const allows = createPostLimit({ most: 1, windowMs: 10, clock: () => 0 });
    assert.deepEqual(first.map(allows), [true, false, false, false]);
    assert.deepEqual(
      others.map(allows),
      others.map(() => true),
    );
    assert.equal(allows("::ffff:10.0.0.1"), false);
    assert.equal(allows("::ffff:10.0.0.3"), true);
  });

  it("keeps no more than 10,000 addresses", () => {
    const allows = createPostLimit({ most: 1, windowMs: 10, clock: () => 0 });
    for (let address = 0; address < 10_000; address++) assert.equal(allows(`${address}`), true);
    assert.equal(allows("0"), false);
    assert.equal(allows("one more"), true);
    assert.equal(allows("0"), true, "all start again");
  });
});
