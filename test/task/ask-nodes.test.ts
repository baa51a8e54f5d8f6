import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createNodeAsker } from "../../task/ask-nodes.ts";

describe("asking nodes at each look", function () {
  this.timeout(20_000);

  /** A look in which node "slow" does not answer in time; returns what makes it fail. */
  const lookInVain = async (askNodes: ReturnType<typeof createNodeAsker>): Promise<() => Promise<void>> => {
    let fail = (): void => undefined;
    const slow = new Promise<void>((_, reject) => (fail = () => reject(new Error("the disk is full"))));
    await askNodes("round 1", ["slow", "quick"], (node) => (node === "slow" ? slow : Promise.resolve()));
    return async () => {
      fail();
      await new Promise((resolve) => setImmediate(resolve));
    };
  };

  it("asks each once at a time, and waits for none of them longer than some seconds", async () => {
    const askNodes = createNodeAsker();
    const fail = await lookInVain(askNodes);
    const asked: string[] = [];
    const look = (): Promise<void> => askNodes("round 1", ["slow", "quick"], async (node) => void asked.push(node));
    await look();
    assert.deepEqual(asked, ["quick"]);
    await fail();
    await assert.rejects(look(), /the disk is full/, "what failed later is thrown at a later look");
    await look();
    assert.deepEqual(asked, ["quick", "slow", "quick", "slow", "quick"]);
  });

  it("throws what failed in a look, and forgets it where the looks are about something else", async () => {
    const askNodes = createNodeAsker();
    await assert.rejects(
      askNodes("round 1", ["a"], () => Promise.reject(new Error("away"))),
      /away/,
    );
    const fail = await lookInVain(askNodes);
    await askNodes("round 2", [], () => Promise.resolve());
    await fail();
    await askNodes("round 2", [], () => Promise.resolve());
  });
});
