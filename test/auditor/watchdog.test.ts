import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "mocha";
import { setTimeout as delay } from "node:timers/promises";
import { watchdog } from "../../auditor/watchdog.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import { rejectsCode } from "../support/errors.ts";

describe("what waits without progress", () => {
  it("ends in time, with what it was waiting for", async () => {
    const dog = watchdog(30, "the task's document");
    dog.explain("block bafkrei is unavailable");
    const work = dog.guard(new Promise(() => undefined));
    await assert.rejects(
      work,
      (error) => isVerisumError(error, "IPFS_UNAVAILABLE") && error.message.includes("bafkrei"),
    );
  });

  it("goes on as long as there is progress, and passes results and failures on", async () => {
    const dog = watchdog(1500, "something");
    const work = async (): Promise<number> => {
      for (let i = 0; i < 4; i++) {
        await delay(500);
        dog.progress(`step ${i}`);
      }
      return 7;
    };
    assert.equal(await dog.guard(work()), 7);
    await assert.rejects(dog.guard(Promise.reject(new TypeError("a defect"))), TypeError);
    await rejectsCode(dog.guard(new Promise(() => undefined)), "IPFS_UNAVAILABLE");
  });
});

describe("hardhat's own test command", () => {
  it("does not pass without having run anything", function () {
    this.timeout(60_000);
    const { status, stdout, stderr } = spawnSync("node_modules/.bin/hardhat", ["test"], { encoding: "utf8" });
    assert.notEqual(status, 0);
    assert.match(stdout + stderr, /npm test/);
  });
});
