/** A member with a minimum of its own: the simulation's roles, without faults but one client's. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { afterEach, describe, it } from "mocha";
import { calmStage } from "../simulation/calm.ts";
import { aggregatorScript, clientName, clientScript, memberScript } from "../simulation/roles.ts";
import { openScene } from "../simulation/scene.ts";
import type { Scene } from "../simulation/scene.ts";
import { seededRandom } from "../support/random.ts";

const SHAPE = { committeeSize: 4, threshold: 2, clients: 4, maxCorrupt: 1, confirmations: 0, blockSeconds: 1 };
const CLIENTS = [1, 2, 3, 4];
const SEATS = [1, 2, 3, 4];
const BAD_CLIENT = 4;
const MOST_TURNS = 200;
const TURNS_IN_PHASE = 20;

describe("members that open no sum of fewer clients than they choose", function () {
  this.timeout(60_000);
  let scene: Scene;
  afterEach(() => rmSync(scene.directory, { recursive: true, force: true }));

  /** A round whose last client shares garbage: whether it settled, has a result, and how many would not attest. */
  const playRound = async (minimum: number): Promise<{ settled: boolean; final: boolean; warned: number }> => {
    scene = await openScene(SHAPE);
    const { stage, nature } = calmStage(scene);
    const { world } = stage;
    world.add(aggregatorScript(stage));
    for (const seat of SEATS) world.add(memberScript(stage, seat, true, minimum));
    for (const index of CLIENTS) world.add(clientScript(stage, index, true));
    const members = world.actors.slice(1, 1 + SEATS.length);
    scene.content.alter(clientName(BAD_CLIENT), (bundle) =>
      Object.fromEntries(Object.entries(bundle).map(([name, { length }]) => [name, seededRandom(name)(length)])),
    );
    for (let turn = 1; turn < MOST_TURNS; turn++) {
      for (const actor of world.actors) {
        await world.stepOf(actor);
        assert.equal(actor.failure, undefined);
      }
      const { deadline } = await scene.reader().round();
      // What has not come by now does not come: the phase's time passes.
      if (turn % TURNS_IN_PHASE === 0) nature.pass(Math.max(0, deadline - nature.now()));
      scene.chain.mine();
      const { settled, finalised, aborted } = (await scene.reader().look()).records(1n);
      if (finalised === undefined && !aborted) continue;
      const warned = members.filter(({ reporter }) => reporter.facts("not-attesting").length === 1).length;
      return { settled: settled !== undefined, final: finalised !== undefined, warned };
    }
    return assert.fail("the round never ended");
  };

  it("attest none that a bad client could make settle on fewer: it ends before anything is charged", async () => {
    assert.deepEqual(await playRound(CLIENTS.length), { settled: false, final: false, warned: SEATS.length });
  });

  it("attest, and open, one that settles on as many at the least", async () => {
    assert.deepEqual(await playRound(CLIENTS.length - 1), { settled: true, final: true, warned: 0 });
  });
});
