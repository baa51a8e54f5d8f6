import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { RoundRecords, SubmittedRecord } from "../../chain/task-chain.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { awaitShares, checkShares } from "../../member/shares.ts";
import type { ShareDependencies } from "../../member/shares.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { toHex } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { rejectsCode } from "../support/errors.ts";
import { word } from "../support/random.ts";
import { waitsOf } from "../support/waits.ts";

const CLIENTS = 12;
const SLOW = [0, 1, 2, 3, 4, 5];
const KEY = new Uint8Array(32);

const client = (index: number): Hex => `0x${String(index).padStart(40, "0")}`;
const submitted = Array.from(
  { length: CLIENTS },
  (_, index) =>
    ({
      client: client(index),
      index,
      weight: 1,
      submission: { sharesCid: word(`bundle ${index}`) },
    }) as SubmittedRecord,
);

/** A member to whom some shares never come, and that finds none of the others, or this in their place. */
function member(isSlow: (index: number) => boolean, share?: Uint8Array): ShareDependencies {
  const getFile = (cid: string): Promise<Uint8Array> => {
    const index = submitted.findIndex(({ submission }) => cidFromDigest(submission.sharesCid) === cid);
    if (isSlow(index)) return new Promise(() => undefined);
    if (share !== undefined) return Promise.resolve(share);
    return Promise.reject(new VerisumError("IPFS_NOT_FOUND", "no such share"));
  };
  return {
    ...{ seat: 1, chain: { roundKey: async () => toHex(KEY) } },
    keys: { find: async () => ({ secretKey: KEY, publicKey: KEY }) },
    task: { store: { getFile }, layout: { elementCount: 1 }, parameters: { threshold: 2 } },
  } as unknown as ShareDependencies;
}

describe("shares that never come", function () {
  this.timeout(20_000);
  const records = { opened: { round: 1n }, submitted } as unknown as RoundRecords;

  it("keep no other share from being judged, and are hardly waited for a second time", async () => {
    const deps = member((index) => SLOW.includes(index));
    const first = await checkShares(deps, records, 0n);
    assert.deepEqual([...first.unavailable].sort(), SLOW.map(client));
    assert.equal(first.wrong.size, CLIENTS - SLOW.length);
    const look = async (): Promise<void> => {
      const second = await checkShares(deps, records, 0n, first.unavailable);
      assert.equal(second.wrong.size, CLIENTS - SLOW.length);
    };
    assert.deepEqual(await waitsOf(200, look), []);
  });

  it("are waited for once before a sum, which goes on without them until they are here", async () => {
    const arrived = new Set<number>();
    const deps = member((index) => SLOW.includes(index) && !arrived.has(index), new Uint8Array(1));
    const late = new Set<Hex>();
    const missing = async (count: number): Promise<void> => {
      const waiting = awaitShares(deps, submitted, late);
      if (count === 0) return waiting;
      await rejectsCode(waiting, "IPFS_UNAVAILABLE", { missing: count });
    };
    await missing(SLOW.length);
    assert.equal(late.size, SLOW.length);
    arrived.add(SLOW[0]!);
    assert.deepEqual(await waitsOf(200, () => missing(SLOW.length - 1)), []);
    for (const index of SLOW) arrived.add(index);
    await missing(0);
  });
});
