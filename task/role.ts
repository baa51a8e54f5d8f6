/** What the loops of all roles share. */
import { outlive } from "../command/run.ts";
import type { RandomBytes } from "../protocol/random.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { createDeploymentWatch } from "./deployment.ts";
import type { ReadingNode } from "./node.ts";
import type { Pace } from "./pace.ts";
import { withSecondLook } from "./second-look.ts";
import type { Vitals } from "./vitals.ts";

/** What a role is given besides its options. */
export interface RoleDependencies {
  readonly reporter: Reporter;
  readonly random: RandomBytes;
  /** Ends the role, with INTERRUPTED. */
  readonly signal: AbortSignal;
}

/** What a loop runs on. */
export interface LoopDependencies {
  readonly node: Pick<ReadingNode, "network" | "chain">;
  readonly reporter: Reporter;
  readonly pace: Pick<Pace, "moved" | "pause">;
  /** Told of what the loop does; each step tells what it sees. */
  readonly vitals: Pick<Vitals, "acted">;
}

/** Runs steps until `complete`; looks at the chain again at once after an action, else after a pause. */
export async function poll(
  { node, reporter, pace, vitals }: LoopDependencies,
  step: () => Promise<boolean>,
  complete: () => Promise<boolean>,
): Promise<void> {
  const isComplete = withSecondLook(complete, node.chain, (answer) => answer);
  const act = withSecondLook(step, node.chain);
  const requireSameDeployment = createDeploymentWatch(node.chain, () => performance.now());
  while ((await outlive(isComplete, reporter)) !== true) {
    const acted = await outlive(async () => {
      await requireSameDeployment();
      await node.network.refresh();
      return act();
    }, reporter);
    if (acted === true) {
      vitals.acted();
      pace.moved();
    } else await outlive(pace.pause, reporter);
  }
}

/** A step, and when there was nothing to do, what may wait until then. */
export async function stepOrChores(
  step: () => Promise<boolean>,
  chores: readonly (() => Promise<void>)[],
): Promise<boolean> {
  const acted = await step();
  if (!acted) for (const chore of chores) await chore();
  return acted;
}
