import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { startAhead } from "../../content/ahead.ts";

/** Work that ends when told to, and a record of what was started. */
function manualWork(): {
  readonly started: number[];
  readonly finish: (item: number) => void;
  readonly work: (item: number) => Promise<string>;
} {
  const started: number[] = [];
  const ends = new Map<number, () => void>();
  return {
    started,
    finish: (item) => ends.get(item)!(),
    work: (item) => {
      started.push(item);
      return new Promise((resolve) => ends.set(item, () => resolve(`done ${item}`)));
    },
  };
}

describe("work started ahead", () => {
  it("gives results in the order of the items, whatever ends first", async () => {
    const { work, finish } = manualWork();
    const results: string[] = [];
    const reading = (async () => {
      for (const [item, result] of startAhead([1, 2, 3], 3, work)) results.push(`${item} ${await result}`);
    })();
    for (const item of [3, 1, 2]) finish(item);
    await reading;
    assert.deepEqual(results, ["1 done 1", "2 done 2", "3 done 3"]);
  });

  it("never has more than the width under way, the one in use included", () => {
    const { work, started } = manualWork();
    const turns = startAhead([1, 2, 3, 4, 5], 2, work);
    turns.next();
    assert.deepEqual(started, [1, 2]);
    turns.next();
    assert.deepEqual(started, [1, 2, 3]);
    turns.next();
    turns.next();
    turns.next();
    assert.deepEqual(started, [1, 2, 3, 4, 5]);
    assert.equal(turns.next().done, true);
  });

  it("starts nothing for no items", () => {
    const { work, started } = manualWork();
    assert.deepEqual([...startAhead([], 4, work)], []);
    assert.deepEqual(started, []);
  });

  it("hands a failure to the consumer at its turn, and lets the rest fail unheard", async () => {
    const work = (item: number): Promise<number> =>
      item === 1 ? Promise.resolve(1) : Promise.reject(new Error(`failed ${item}`));
    const turns = startAhead([1, 2, 3], 3, work);
    const results = [turns.next().value, turns.next().value] as [number, Promise<number>][];
    assert.equal(await results[0]![1], 1);
    await assert.rejects(results[1]![1], /failed 2/);
  });
});
