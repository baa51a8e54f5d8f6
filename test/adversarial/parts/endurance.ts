/**
 * Many rounds in which nothing fails: what each role takes of its machine stays within the stated policy
 * (docs/state.md), with as many rounds kept as by default.
 */
import { DEFAULT_KEEP_ROUNDS } from "../../../task/pruning.ts";
import { Fleet, kindOf } from "../fleet.ts";
import type { RoleKind } from "../fleet.ts";
import type { Part } from "../part.ts";
import { partReport } from "../report.ts";
import { excessOf, RESOURCES, trendOf, usageOf } from "../resources.ts";
import type { Bound, Resource, Usage } from "../resources.ts";
import { Tally } from "../tally.ts";

const ROUNDS = 50;
const ROUND_SECONDS = 600;
/** Caches fill, and no bundle is old enough to go, until then. */
const WARM_ROUNDS = DEFAULT_KEEP_ROUNDS + 2;
/** Rounds over which growth is measured at least. */
const FEWEST_MEASURED = 4;

const MIB = 2 ** 20;

/** For this task of fifteen weights; growth of the disk is what a round leaves for good. */
const BOUNDS: Readonly<Record<RoleKind, Readonly<Record<Resource, Bound>>>> = {
  aggregator: boundsWith({ most: 4 * MIB, perRound: 32_768 }),
  member: boundsWith({ most: 4 * MIB, perRound: 32_768 }),
  client: boundsWith({ most: 32 * MIB, perRound: 32_768 }),
};

function boundsWith(disk: Bound): Readonly<Record<Resource, Bound>> {
  return {
    memory: { most: 600 * MIB, perRound: 2 * MIB },
    descriptors: { most: 128, perRound: 0.5 },
    disk,
  };
}

export const endurancePart =
  (flags: { readonly rounds?: string }): Part =>
  async ({ task, folder, say }) => {
    const startedAt = performance.now();
    const rounds = Math.max(Number(flags.rounds ?? ROUNDS), WARM_ROUNDS + FEWEST_MEASURED);
    const tally = new Tally(say);
    const fleet = await Fleet.launch({ task, directory: await folder(), tally });
    const usages = new Map<string, Usage[]>(fleet.names.map((name) => [name, []]));
    try {
      for (let round = 1; round <= rounds; round++) {
        if (!(await fleet.play(1, ROUND_SECONDS))) {
          await fleet.stuck();
          break;
        }
        for (const [name, ofRole] of usages) ofRole.push(await usageOf(fleet.pidOf(name)!, fleet.stateOf(name)));
        if (round % 5 === 0) say(`${round} of ${rounds} rounds`);
      }
      await fleet.judge();
    } finally {
      await fleet.stop();
    }
    const lines = [...usages].flatMap(([name, ofRole]) => trendLines(name, ofRole.slice(WARM_ROUNDS), tally));
    lines.forEach(say);
    return partReport("endurance", tally, { seconds: (performance.now() - startedAt) / 1000 });
  };

/** Reports each trend, and breaks the promise where it leaves its bound. */
function trendLines(name: string, usages: readonly Usage[], tally: Tally): readonly string[] {
  if (usages.length < FEWEST_MEASURED) return [];
  return RESOURCES.map((resource) => {
    const trend = trendOf(usages.map((usage) => usage[resource]));
    const excess = excessOf(trend, BOUNDS[kindOf(name)][resource]);
    if (excess !== undefined) tally.break("bounds left", `${name}: ${resource} ${excess}`);
    const [first, last, perRound] = [trend.first, trend.last, Math.round(10 * trend.perRound) / 10];
    return `${name}: ${resource} ${[first, last].map((value) => value.toLocaleString("en")).join(" → ")}, ${perRound.toLocaleString("en")} a round`;
  });
}
