import { beforeEach, describe, it } from "mocha";
import assert from "node:assert/strict";
import type { Phase, RoundState } from "../../chain/task-chain.ts";
import { ZERO_WORD } from "../../protocol/transcript.ts";
import { createPace } from "../../task/pace.ts";
import type { Pace } from "../../task/pace.ts";

const POLL_MS = 1000;
const ROUND: RoundState = {
  number: 1n,
  phase: "Collecting",
  deadline: 100,
  expected: 2,
  submitted: 0,
  keyMask: 1n,
  totalWeight: 0,
  included: 0n,
  proposedMembers: 0n,
  sum: { x: 0n, y: 0n },
  intake: ZERO_WORD,
  settlement: ZERO_WORD,
};

/** A chain and a clock that a test moves; a pause takes as long as it says. */
class Scene {
  now = 0;
  block = 1;
  round: RoundState = ROUND;
  readonly pauses: number[] = [];
  /** Runs when a pause begins. */
  onSleep: () => void = () => undefined;
  /** A pause that only a wake ends. */
  isStuck = false;
  readonly asked = { blocks: 0, rounds: 0 };

  pace(asksNodesIn: readonly Phase[] = []): Pace {
    return createPace({
      chain: {
        latestBlock: async () => (this.asked.blocks++, this.block),
        round: async () => (this.asked.rounds++, this.round),
      },
      pollMs: POLL_MS,
      sleep: async (ms) => {
        this.pauses.push(Math.round(ms));
        this.onSleep();
        if (this.isStuck) await new Promise(() => undefined);
        this.now += ms;
      },
      clock: () => this.now,
      asksNodesIn,
    });
  }
}

describe("a role's pace", () => {
  let scene: Scene;
  beforeEach(() => (scene = new Scene()));

  /** A pace that has seen the chain as it is. */
  const settled = async (asksNodesIn?: readonly Phase[]): Promise<Pace> => {
    const pace = scene.pace(asksNodesIn);
    await pace.pause();
    scene.pauses.length = 0;
    Object.assign(scene.asked, { blocks: 0, rounds: 0 });
    return pace;
  };

  it("looks less and less often while nothing moves, and asks for no more than the block's number", async () => {
    const pace = await settled();
    const started = scene.now;
    await pace.pause();
    assert.equal(Math.round(scene.now - started), POLL_MS);
    assert.equal(scene.pauses[0], 100);
    const unforced = scene.pauses.slice(0, -1);
    assert.deepEqual(
      unforced,
      [...unforced].sort((a, b) => a - b),
    );
    assert.deepEqual(scene.asked, { blocks: scene.pauses.length, rounds: 0 });
    for (let i = 0; i < 5; i++) await pace.pause();
    scene.pauses.length = 0;
    await pace.pause();
    assert.deepEqual(scene.pauses, [POLL_MS]);
  });

  const moves: readonly (readonly [string, Partial<RoundState>])[] = [
    ["number", { number: 2n }],
    ["phase", { phase: "Attesting" }],
    ["submissions", { submitted: 1 }],
    ["included clients", { included: 1n }],
    ["proposal", { proposedMembers: 3n }],
  ];
  for (const [what, change] of moves)
    it(`is quick again once the round's ${what} changed`, async () => {
      const pace = await settled();
      for (let i = 0; i < 5; i++) await pace.pause();
      scene.onSleep = () => {
        scene.onSleep = () => undefined;
        scene.block++;
        scene.round = { ...ROUND, ...change };
      };
      scene.pauses.length = 0;
      await pace.pause();
      assert.equal(scene.pauses.length, 1);
      await pace.pause();
      assert.equal(scene.pauses[1], 100);
    });

  it("has a step look after a block of others, and does not hurry for it", async () => {
    const pace = await settled();
    for (let i = 0; i < 5; i++) await pace.pause();
    scene.block++;
    scene.pauses.length = 0;
    await pace.pause();
    await pace.pause();
    assert.deepEqual(scene.pauses, [POLL_MS, POLL_MS]);
  });

  it("is quick after an action of its own", async () => {
    const pace = await settled();
    for (let i = 0; i < 5; i++) await pace.pause();
    pace.moved();
    scene.pauses.length = 0;
    await pace.pause();
    assert.equal(scene.pauses[0], 100);
  });

  it("has a step at each look in a phase in which nodes are asked", async () => {
    scene.round = { ...ROUND, phase: "Aggregating" };
    const pace = await settled(["Aggregating"]);
    await pace.pause();
    await pace.pause();
    assert.equal(scene.pauses.length, 2);
  });

  it("ends a pause, or else the next one, when it is woken", async () => {
    const pace = await settled();
    scene.isStuck = true;
    const pausing = pace.pause();
    pace.wake();
    await pausing;
    pace.wake();
    scene.pauses.length = 0;
    await pace.pause();
    assert.deepEqual(scene.pauses, []);
    scene.isStuck = false;
    await pace.pause();
    assert.notEqual(scene.pauses.length, 0);
  });
});
