/** A world in which nothing goes wrong but what a test does: its clock moves when it says so. */
import { Dice } from "./dice.ts";
import { Reference } from "./reference.ts";
import { checkedOnce } from "./roles.ts";
import type { Stage } from "./roles.ts";
import type { Scene } from "./scene.ts";
import { World } from "./world.ts";
import type { Nature } from "./world.ts";

/** Dice that disturb nobody. */
class CalmDice extends Dice {
  override oneIn(): boolean {
    return false;
  }
}

/** Nobody is on it yet. */
export function calmStage(scene: Scene): { readonly stage: Stage; readonly nature: Nature } {
  let now = scene.chain.nextTime;
  const nature: Nature = {
    now: () => now,
    pass: (seconds) => scene.chain.setTime((now += seconds)),
    reorganise: () => undefined,
  };
  const world = new World(new CalmDice("calm"), nature);
  world.hostile = false;
  const stage: Stage = {
    ...{ scene, world, seed: "calm", planted: {}, contexts: new Map(), check: checkedOnce(), nodes: new Map() },
    reference: new Reference(scene, new Set()),
  };
  return { stage, nature };
}
