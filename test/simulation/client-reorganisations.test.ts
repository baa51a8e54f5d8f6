/** Reorganisations while a round collects, one at a time, in a world in which nothing else goes wrong. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { SubmittedRecord } from "../../chain/task-chain.ts";
import { Dice } from "./dice.ts";
import { quietMachine } from "./quiet-machine.ts";
import { clientName } from "./roles.ts";
import type { Stage } from "./roles.ts";
import { openStage } from "./schedule.ts";
import { openScene } from "./scene.ts";
import type { Scene, Shape } from "./scene.ts";
import type { Actor, Nature } from "./world.ts";

const SHAPE: Shape = { committeeSize: 4, threshold: 2, clients: 3, maxCorrupt: 0, confirmations: 6, blockSeconds: 1 };
const MOST_STEPS = 400;

describe("a reorganisation while a round collects", function () {
  this.timeout(60_000);
  let scene: Scene;
  let stage: Stage;
  let nature: Nature;
  let endQuiet: () => void;
  beforeEach(async () => {
    scene = await openScene(SHAPE);
    ({ stage, nature } = openStage("collecting", new Dice("collecting"), scene, { seats: new Set(), clients: 0 }));
    endQuiet = quietMachine();
    stage.world.hostile = false;
    stage.world.interleaves = false;
    await until(isCollecting, (actor) => !actor.script.name.startsWith("client"));
  });
  afterEach(() => {
    endQuiet();
    rmSync(scene.directory, { recursive: true, force: true });
  });

  const isCollecting = async (): Promise<boolean> => (await scene.reader().round()).phase === "Collecting";
  const isFinal = async (): Promise<boolean> => (await scene.reader().records(1n)).finalised !== undefined;
  const until = async (holds: () => Promise<boolean>, acts: (actor: Actor) => boolean = () => true): Promise<void> => {
    for (let step = 0; !(await holds()); step++) {
      assert.ok(step < MOST_STEPS, "it never came to that");
      for (const actor of stage.world.actors.filter(acts)) await stage.world.stepOf(actor);
      nature.pass(1);
    }
  };
  const client = (index: number): Actor =>
    stage.world.actors.find(({ script }) => script.name === clientName(index)) ?? assert.fail();
  const submitted = async (): Promise<readonly SubmittedRecord[]> => (await scene.reader().records(1n)).submitted;
  const bundles = async (): Promise<readonly string[]> =>
    (await submitted()).map(({ submission }) => submission.sharesCid);

  it("does not cost the client its place: what was dropped after its receipt is sent again as it was", async () => {
    await stage.world.stepOf(client(1));
    const [first] = await submitted();
    scene.chain.fork(1, () => false);
    assert.deepEqual(await submitted(), []);
    await stage.world.stepOf(client(1));
    assert.deepEqual((await submitted())[0]?.submission, first?.submission);
    await until(isFinal);
    assert.deepEqual(stage.reference.violations, []);
    assert.equal((await submitted()).length, SHAPE.clients);
  });

  it("may put the submissions in another order: each counts once, with its own weight", async () => {
    for (const index of [1, 2]) await stage.world.stepOf(client(index));
    const before = await bundles();
    scene.chain.fork(
      2,
      () => true,
      () => [1, 0],
    );
    assert.deepEqual(await bundles(), before.toReversed());
    await until(isFinal);
    assert.deepEqual(stage.reference.violations, []);
    stage.reference.finalises(1n);
    assert.deepEqual(stage.reference.violations, [], "the sum is that of the clients, by their own weights");
  });

  it("may drop one of several and keep the rest: only that one is sent again", async () => {
    for (const index of [1, 2]) await stage.world.stepOf(client(index));
    const before = await bundles();
    let kept = 0;
    scene.chain.fork(2, () => kept++ > 0);
    assert.deepEqual(await bundles(), before.slice(1));
    for (const index of [1, 2]) await stage.world.stepOf(client(index));
    assert.deepEqual(await bundles(), before.toReversed());
    await until(isFinal);
    assert.deepEqual(stage.reference.violations, []);
  });

  it("is not held against a client that looks when its round collects no more, and no block says so yet", async () => {
    for (const index of [1, 2, 3]) await stage.world.stepOf(client(index));
    scene.chain.fork(1, () => false);
    assert.equal((await submitted()).length, 2);
    scene.chain.setTime((await scene.reader().round()).deadline);
    assert.ok(await isCollecting(), "as of the latest block");
    await stage.world.stepOf(client(3));
    assert.equal((await submitted()).length, 2, "the contract would refuse it in the next block");
    assert.deepEqual(stage.reference.violations, []);
  });
});
