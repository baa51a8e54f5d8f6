/** One schedule: a task, its parties and their disturbances, all from one seed. */
import { rmSync } from "node:fs";
import { isVerisumError } from "../../protocol/errors.ts";
import { byzantineClient, byzantineMember } from "./byzantine.ts";
import { Dice } from "./dice.ts";
import { quietMachine } from "./quiet-machine.ts";
import { Reference } from "./reference.ts";
import type { Violation } from "./reference.ts";
import { aggregatorScript, checkedOnce, clientName, clientScript, memberName, memberScript } from "./roles.ts";
import type { Planted, Stage } from "./roles.ts";
import { drawShape, openScene } from "./scene.ts";
import type { Scene, Shape } from "./scene.ts";
import { World } from "./world.ts";
import type { Fault, Nature } from "./world.ts";

/** One schedule in so many is disturbed until two rounds are final, the others until one is; one more must follow. */
const SCHEDULES_PER_LONG_ONE = 8;
/** Events after which the disturbances end at the latest, and after which a quiet world has failed. */
const HOSTILE_EVENTS = 1500;
const QUIET_EVENTS = 1500;

export interface Outcome {
  readonly seed: string;
  readonly shape: Shape;
  readonly violations: readonly Violation[];
  readonly faults: ReadonlyMap<Fault, number>;
  readonly finalised: number;
  readonly aborted: number;
  /** Updates of older models in the sums. */
  readonly staleUpdates: number;
  /** From each fault to the next final round. */
  readonly recoverySeconds: readonly number[];
}

/** @param planted mistakes in the roles, for a test of the simulation itself */
export async function runSchedule(seed: string, planted: Planted = {}): Promise<Outcome> {
  const dice = new Dice(seed);
  const shape = drawShape(dice);
  const scene = await openScene(shape);
  const endQuiet = quietMachine();
  try {
    return await play(seed, dice, scene, planted);
  } finally {
    endQuiet();
    rmSync(scene.directory, { recursive: true, force: true });
  }
}

/** A task's parties before anything happens, some of them corrupt. */
export function openStage(
  seed: string,
  dice: Dice,
  scene: Scene,
  corrupt: { readonly seats: ReadonlySet<number>; readonly clients: number },
  planted: Planted = {},
): { readonly stage: Stage; readonly nature: Nature } {
  const { shape } = scene;
  const seats = seatsOf(shape);
  const reference = new Reference(scene, new Set(seats.filter((seat) => !corrupt.seats.has(seat))));
  const nature = natureOf(dice, scene, (fault) => world.count(fault));
  const world = new World(dice, nature);
  const stage: Stage = {
    scene,
    world,
    reference,
    seed,
    planted,
    contexts: new Map(),
    check: checkedOnce(),
    nodes: new Map(),
  };
  world.add(aggregatorScript(stage));
  for (const seat of seats) {
    const role = memberScript(stage, seat, !corrupt.seats.has(seat));
    world.add(corrupt.seats.has(seat) ? byzantineMember(stage, seat, role) : role);
  }
  for (let i = 1; i <= shape.clients; i++) {
    const role = clientScript(stage, i, i > corrupt.clients);
    world.add(i > corrupt.clients ? role : byzantineClient(stage, i, role));
  }
  return { stage, nature };
}

function seatsOf({ committeeSize }: Pick<Shape, "committeeSize">): number[] {
  return Array.from({ length: committeeSize }, (_, i) => i + 1);
}

async function play(seed: string, dice: Dice, scene: Scene, planted: Planted): Promise<Outcome> {
  const { shape, chain } = scene;
  const corrupt = {
    seats: new Set(shuffled(dice, seatsOf(shape)).slice(0, dice.below(shape.threshold))),
    clients: dice.below(shape.maxCorrupt + 1),
  };
  const { stage, nature } = openStage(seed, dice, scene, corrupt, planted);
  const { world, reference } = stage;
  let [finalised, aborted] = [0, 0];
  chain.onMined = ({ name, args }) => {
    if (name === "settle") reference.settles(args[0] as bigint);
    if (name === "finalize") {
      finalised++;
      reference.finalises(args[0] as bigint);
      world.recovered();
    }
    if (name === "abort") aborted++;
  };
  const rounds = dice.oneIn(SCHEDULES_PER_LONG_ONE) ? 2 : 1;
  /** What follows from a broken promise tells nothing new. */
  const isBroken = (): boolean => reference.violations.length > 0;
  const { events: hostile = HOSTILE_EVENTS, events: quiet = QUIET_EVENTS } = planted;
  await until(world, nature, scene, hostile, () => isBroken() || finalised >= rounds);
  world.hostile = false;
  for (const actor of world.actors) actor.downUntil = 0;
  const before = finalised;
  await until(world, nature, scene, quiet, () => isBroken() || finalised > before);
  if (!isBroken() && finalised === before)
    reference.break("no progress", `no round became final in ${quiet} quiet events`);
  judge(world, scene, reference);
  const { faults, recoverySeconds } = world;
  const { violations, staleUpdates } = reference;
  return { seed, shape, violations, faults, finalised, aborted, staleUpdates, recoverySeconds };
}

/** Lets the world go on until something holds; when nobody acts any more, time passes to the next deadline. */
async function until(
  world: World,
  nature: Nature,
  { chain, contract }: Scene,
  events: number,
  holds: () => boolean,
): Promise<void> {
  let idle = 0;
  for (let event = 0; event < events && !holds(); event++) {
    idle = (await world.event()) ? 0 : idle + 1;
    if (idle < 4 * world.actors.length) continue;
    idle = 0;
    const left = Number(chain.contractAt(contract).state.header.deadline) - nature.now();
    nature.pass(left > 0 ? Math.min(left, world.dice.between(20, 200)) : 30);
  }
}

/** Time, blocks and reorganisations. */
function natureOf(dice: Dice, { chain, shape }: Scene, count: (fault: Fault) => void): Nature {
  let now = chain.nextTime;
  let unmined = 0;
  return {
    now: () => now,
    pass: (seconds) => {
      now += seconds;
      unmined += seconds;
      chain.setTime(now);
      chain.mine(Math.floor(unmined / shape.blockSeconds));
      unmined %= shape.blockSeconds;
    },
    reorganise: () => {
      const { kept, lost } = chain.fork(
        dice.between(1, shape.confirmations),
        () => !dice.oneIn(3),
        (count) => shuffled(dice, [...Array(count).keys()]),
      );
      if (kept + lost > 0) count("reorganisation");
      for (let i = 0; i < lost; i++) count("transaction dropped");
    },
  };
}

/** What the roles said and how they ended. */
export function judge({ actors }: Pick<World, "actors">, { shape, writer }: Scene, reference: Reference): void {
  const honest = new Set(actors.filter(({ script }) => script.honest).map(({ script }) => script.name));
  const honestSeat = (seat: unknown): boolean => honest.has(memberName(Number(seat)));
  const honestClients = new Set(
    Array.from({ length: shape.clients }, (_, i) => i + 1)
      .filter((index) => honest.has(clientName(index)))
      .map((index) => String(writer(shape.committeeSize + index).account)),
  );
  for (const { script, reporter, failure } of actors.filter(({ script }) => script.honest)) {
    if (failure !== undefined) reference.break("role dead", `${script.name}: ${describe(failure)}`);
    for (const { event, text, facts } of reporter.events) {
      const blamesSeat = ["bad-release", "wrong-release", "unusable-key"].includes(event) && honestSeat(facts.seat);
      const blamesClient = event === "share-refused" && honestClients.has(String(facts.client));
      if (blamesSeat || blamesClient) reference.break("honest party blamed", `${script.name}: ${text}`);
    }
  }
}

function describe(failure: unknown): string {
  if (isVerisumError(failure)) return `${failure.code}: ${failure.message}`;
  return failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
}

function shuffled<T>(dice: Dice, list: readonly T[]): T[] {
  return list
    .map((item) => ({ item, key: dice.below(2 ** 31) }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
