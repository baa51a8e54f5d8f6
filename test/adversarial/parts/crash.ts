/** Every role is killed at each of its acts on the disk, and starts again with what that left. */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Fleet, kindOf } from "../fleet.ts";
import type { RoleKind } from "../fleet.ts";
import { spread } from "../part.ts";
import type { Part, PartContext } from "../part.ts";
import { partReport } from "../report.ts";
import type { PartReport } from "../report.ts";
import { Tally } from "../tally.ts";

const PRELOAD = new URL("../crash-points.ts", import.meta.url).href;
const RECORDED_ROUNDS = 3;
const IDLE_ROUNDS = 4;
const MOST_TASKS = 6;
const ROUND_SECONDS = 600;

/** A kind of role and what it does to which file. */
export type CrashPoint = readonly [RoleKind, string];

export const crashPart: Part = async (context) => {
  const startedAt = performance.now();
  const all = await recorded(context);
  context.say(`${all.length} acts on the disk`);
  return crash(context, spread(all, context.sample), startedAt);
};

/** As many tasks as it takes until each of these places was the last that a process came to. */
export async function crash(
  context: PartContext,
  points: readonly CrashPoint[],
  startedAt = performance.now(),
): Promise<PartReport> {
  const tally = new Tally(context.say);
  let left = points;
  for (let task = 0; task < MOST_TASKS && left.length > 0; task++) {
    left = await crashingTask(context, left, tally);
    context.say(`${left.length} crashes left`);
  }
  const notReached = left.map(([kind, place]) => `${kind}: ${place}`);
  return partReport("crash", tally, { seconds: (performance.now() - startedAt) / 1000, notReached });
}

/** What the roles do while nobody kills them. */
async function recorded({ task, folder }: PartContext): Promise<readonly CrashPoint[]> {
  const directory = await folder();
  const fleet = await Fleet.launch({ task, directory, tally: new Tally(), env: environment(directory) });
  const { names } = fleet;
  try {
    await fleet.play(RECORDED_ROUNDS, RECORDED_ROUNDS * ROUND_SECONDS);
  } finally {
    await fleet.stop();
  }
  const seen = names.flatMap((name) => linesOf(directory, name, "seen").map((place) => `${kindOf(name)}\n${place}`));
  return [...new Set(seen)].sort().map((text) => text.split("\n") as unknown as CrashPoint);
}

/** A task in which each role dies at its share of the places, one after the other. Returns those not come to. */
async function crashingTask(
  { task, folder }: PartContext,
  points: readonly CrashPoint[],
  tally: Tally,
): Promise<readonly CrashPoint[]> {
  const directory = await folder();
  const left = new Set(points.map((point) => point.join("\n")));
  let lastAt = tally.roundsFinal;
  const fleet = await Fleet.launch({
    ...{ task, directory, tally },
    env: environment(directory),
    prepare: (names) => deal(directory, names, points),
    onKilled: (name) => {
      const place = linesOf(directory, name, "crashed").at(-1)!;
      left.delete(`${kindOf(name)}\n${place}`);
      tally.inject(kindOf(name));
      lastAt = tally.roundsFinal;
    },
  });
  const isMet = (): boolean => left.size === 0 || tally.roundsFinal - lastAt >= IDLE_ROUNDS;
  await fleet.conclude(isMet, (IDLE_ROUNDS + 1) * ROUND_SECONDS, ROUND_SECONDS);
  return points.filter((point) => left.has(point.join("\n")));
}

/** Deals the places to the roles of their kind. */
function deal(directory: string, names: readonly string[], points: readonly CrashPoint[]): void {
  for (const kind of ["aggregator", "member", "client"] as const) {
    const roles = names.filter((name) => kindOf(name) === kind);
    const places = points.filter(([of]) => of === kind).map(([, place]) => place);
    for (const [i, place] of places.entries())
      appendFileSync(fileOf(directory, roles[i % roles.length]!, "wanted"), `${place}\n`);
  }
}

const environment =
  (directory: string) =>
  (name: string, state: string): Record<string, string> => ({
    NODE_OPTIONS: `${process.env["NODE_OPTIONS"] ?? ""} --import=${PRELOAD}`,
    VERISUM_CRASH_STATE: state,
    VERISUM_CRASH_FILES: fileOf(directory, name),
  });

function fileOf(directory: string, name: string, ending?: string): string {
  const path = join(directory, name.replaceAll(" ", "-"));
  return ending === undefined ? path : `${path}.${ending}`;
}

function linesOf(directory: string, name: string, ending: string): string[] {
  const path = fileOf(directory, name, ending);
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];
}
