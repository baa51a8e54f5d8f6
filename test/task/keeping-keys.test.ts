import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { cidFromDigest } from "../../content/cid.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { createKeyKeeper } from "../../task/keeping-keys.ts";
import { word } from "../support/random.ts";
import { createRecorder } from "../support/round-recorder.ts";

const keysCid = word("keys");

describe("a node that serves a task", () => {
  it("keeps its keys whole, asks again for what is not there, seldom, and says so", async () => {
    const reporter = createRecorder();
    const asked: string[] = [];
    let [now, isThere] = [0, false];
    const pin = async (cid: string): Promise<void> => {
      asked.push(cid);
      if (!isThere) throw new VerisumError("IPFS_UNAVAILABLE", "block 7 is away");
    };
    const keep = createKeyKeeper({ store: { pin }, document: { keysCid }, reporter, clock: () => now });
    for (let look = 0; look < 3; look++) await keep();
    assert.deepEqual(asked, [cidFromDigest(keysCid)]);
    assert.equal(reporter.facts("keys-not-kept").length, 1);
    [now, isThere] = [60_000, true];
    for (let look = 0; look < 3; look++) await keep();
    assert.equal(asked.length, 2, "until they are here");
  });

  it("goes on though their folder is more than anybody reads", async () => {
    const reporter = createRecorder();
    const pin = (): Promise<void> => Promise.reject(new VerisumError("IPFS_LIMIT_EXCEEDED", "too large"));
    await createKeyKeeper({ store: { pin }, document: { keysCid }, reporter, clock: () => 0 })();
    assert.equal(reporter.facts("keys-not-kept")[0]?.["code"], "IPFS_LIMIT_EXCEEDED");
  });

  it("ends where its own disk refuses them", async () => {
    const pin = (): Promise<void> => Promise.reject(new VerisumError("IPFS_STORE_FAILED", "no space left"));
    const keep = createKeyKeeper({ store: { pin }, document: { keysCid }, reporter: createRecorder(), clock: () => 0 });
    await assert.rejects(keep(), /no space left/);
  });
});
