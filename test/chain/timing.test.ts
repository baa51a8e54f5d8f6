import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Endpoint } from "../../chain/rpc.ts";
import { finalityDepth, measureTiming, timingGauge } from "../../chain/timing.ts";
import type { TimedBlock } from "../../chain/timing.ts";
import { VerisumError } from "../../protocol/errors.ts";

const MAINNET = 1n;

/** A chain with a block every so many seconds, and what its endpoint says of `finalized`. */
class Blocks {
  secondsPerBlock = 12;
  latest = 1_000;
  /** A block number; an error, as of chains without the tag. */
  finalized: number | "error" = 936;

  get endpoint(): Endpoint {
    const getBlock = async (tag: number | string): Promise<object | null> => {
      if (tag === "finalized" && this.finalized === "error") throw new VerisumError("CHAIN_UNREACHABLE", "no such tag");
      const number =
        tag === "latest" ? this.latest : tag === "finalized" ? (this.finalized as number) : (tag as number);
      return { number, timestamp: number === 0 ? 0 : 1_700_000_000 + Math.floor(number * this.secondsPerBlock) };
    };
    return { provider: { getBlock }, request: (work: () => Promise<unknown>) => work() } as unknown as Endpoint;
  }
}

/** Looks at a mainnet by its tag, each by the numbers of its latest and its final block; tells the finality. */
function gauge(): (latest: number, finalized: number | undefined) => number {
  const tell = timingGauge(MAINNET, undefined);
  const block = (number: number): TimedBlock => ({ number, timestamp: 1_700_000_000 + 12 * number });
  return (latest, finalized) => {
    const tagged = finalized === undefined ? {} : { finalized: block(finalized) };
    return tell({ latest: block(latest), earlier: block(latest - 64), ...tagged }).finalitySeconds;
  };
}

describe("a chain's timing", () => {
  it("is measured by its own blocks: 64 blocks behind the tag are 768 seconds, and so are 64 confirmations", async () => {
    const chain = new Blocks();
    const expected = { secondsPerBlock: 12, finalitySeconds: 768 };
    assert.deepEqual(await measureTiming(chain.endpoint, MAINNET, undefined), expected);
    chain.finalized = 990;
    assert.deepEqual(await measureTiming(chain.endpoint, MAINNET, 64), expected);
    assert.deepEqual(await measureTiming(chain.endpoint, MAINNET, 0), { ...expected, finalitySeconds: 0 });
  });

  it("has no end where the chain calls no block final, or none but its genesis, whose timestamp may be anything", async () => {
    const chain = new Blocks();
    for (const finalized of ["error", 0] as const) {
      chain.finalized = finalized;
      const { finalitySeconds } = await measureTiming(chain.endpoint, MAINNET, undefined);
      assert.equal(finalitySeconds, Infinity);
    }
  });

  it("is told of a young chain by the blocks that there are, never by the genesis", async () => {
    const chain = new Blocks();
    for (const [latest, secondsPerBlock] of [
      [0, 0],
      [1, 0],
      [2, 12],
      [10, 12],
    ] as const) {
      chain.latest = latest;
      assert.equal(
        (await measureTiming(chain.endpoint, MAINNET, 2)).secondsPerBlock,
        secondsPerBlock,
        `${latest} blocks`,
      );
    }
  });

  it("is nothing on a development chain, whose blocks come when somebody sends something", async () => {
    const chain = new Blocks();
    chain.secondsPerBlock = 600;
    for (const id of [31_337n, 1_337n]) {
      assert.equal(finalityDepth(id, undefined), 0);
      assert.deepEqual(await measureTiming(chain.endpoint, id, 3), { secondsPerBlock: 0, finalitySeconds: 0 });
    }
    assert.equal(finalityDepth(MAINNET, undefined), undefined);
    assert.equal(finalityDepth(MAINNET, 3), 3);
  });

  it("counts the longest finality of the last hour, since the tag moves in steps, and forgets a failed look", () => {
    const look = gauge();
    assert.equal(look(1_000, 936), 768);
    assert.equal(look(1_031, 936), 1_140);
    assert.equal(look(1_032, 968), 1_140);
    assert.equal(look(1_033, undefined), Infinity);
    assert.equal(look(1_034, 968), 1_140);
    const anHourLater = 1_031 + 300 + 1;
    assert.equal(look(anHourLater, anHourLater - 64), 792, "the first looks are older than an hour");
  });

  it("counts a finality that an endpoint claimed once as no more than half above what it is now", () => {
    const look = gauge();
    assert.equal(look(1_000, 1), 11_988);
    assert.equal(look(1_001, 937), 1_152);
  });
});
