import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { VerisumError } from "../../protocol/errors.ts";
import { createBeside } from "../../task/beside.ts";
import { rejectsCode } from "../support/errors.ts";
import { waitsOf } from "../support/waits.ts";

describe("work beside a loop", () => {
  it("is waited for a little, goes on without the looks, and gives its result to a later one", async function () {
    this.timeout(20_000);
    let [finish, begun] = [(_: string): void => undefined, 0];
    const work = (): Promise<string> => {
      begun += 1;
      return new Promise((resolve) => (finish = resolve));
    };
    const beside = createBeside<string>();
    const waits = await waitsOf(1, async () => {
      for (let look = 0; look < 3; look++) assert.equal(await beside(work), undefined);
    });
    assert.equal(waits.length, 1, "only the look that began it waits");
    assert.equal(begun, 1, "once at a time");
    finish("mined");
    await Promise.resolve();
    assert.equal(await beside(work), "mined");
    assert.equal(begun, 1);
    assert.equal(await beside(() => Promise.resolve("at once")), "at once");
  });

  it("that fails tells the look that waits for it, and is done again", async () => {
    const beside = createBeside<string>();
    const refused = new VerisumError("CHAIN_TRANSACTION_LOST", "not mined in time");
    await rejectsCode(
      beside(() => Promise.reject(refused)),
      "CHAIN_TRANSACTION_LOST",
    );
    assert.equal(await beside(() => Promise.resolve("mined")), "mined");
  });
});
