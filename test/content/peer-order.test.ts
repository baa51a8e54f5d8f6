import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createPeerOrder } from "../../content/peer-order.ts";

describe("the order of peers", () => {
  it("is their own, until they deliver or fail", () => {
    const order = createPeerOrder();
    assert.deepEqual(order.sorted(["b", "a", "c"]), ["b", "a", "c"]);
    order.note("b", "failed");
    assert.deepEqual(order.sorted(["b", "a", "c"]), ["a", "c", "b"]);
    order.note("c", "delivered");
    assert.deepEqual(order.sorted(["b", "a", "c"]), ["c", "a", "b"]);
    order.note("c", "refused");
    order.note("c", "refused");
    assert.deepEqual(order.sorted(["b", "a", "c"]), ["c", "a", "b"]);
    order.note("c", "failed");
    assert.deepEqual(order.sorted(["b", "a", "c"]), ["a", "b", "c"]);
  });

  it("puts no peer first that keeps readers waiting under one name after the other", () => {
    const order = createPeerOrder();
    order.note("honest", "delivered");
    order.note("honest", "refused");
    for (let name = 0; name < 5; name++) {
      assert.deepEqual(order.sorted([`slow ${name}`, "honest"]), ["honest", `slow ${name}`]);
      order.note(`slow ${name}`, "failed");
    }
  });

  it("forgets whoever is a peer no more", () => {
    const order = createPeerOrder();
    order.note("a", "delivered");
    order.sorted(["b"]);
    assert.deepEqual(order.sorted(["b", "a"]), ["b", "a"]);
  });
});
