/**
 * Every method that a role asks of its endpoint, in every phase, meets every fault once. What roles ask is recorded in
 * undisturbed rounds first.
 */
import { Fleet } from "../fleet.ts";
import type { Asked } from "../fleet.ts";
import { spread } from "../part.ts";
import type { Part, PartContext } from "../part.ts";
import { partReport } from "../report.ts";
import type { PartReport } from "../report.ts";
import { RPC_FAULT_NAMES, RPC_FAULTS } from "../rpc-faults.ts";
import type { RpcFault } from "../rpc-faults.ts";
import { Tally } from "../tally.ts";
import type { Misbehaviour, RpcRequest } from "../../support/rpc-server.ts";

const RECORDED_ROUNDS = 2;
/** Rounds without a new fault after which a task is over. */
const IDLE_ROUNDS = 4;
/** Tasks beyond those that it takes if every occasion comes. */
const FURTHER_TASKS = 4;
const ROUND_SECONDS = 600;

/** A role, its phase and a method. */
type Triple = string;

const tripleOf = ({ kind, stage, request }: Asked): Triple => `${kind} ${stage} ${request.method}`;

/** Faults that wait for their occasion. */
class Pending {
  readonly #waiting: Map<Triple, Set<RpcFault>>;

  constructor(pairs: readonly EndpointFault[]) {
    this.#waiting = new Map();
    for (const [triple, fault] of pairs) this.#waiting.set(triple, (this.#waiting.get(triple) ?? new Set()).add(fault));
  }

  get left(): readonly string[] {
    return [...this.#waiting].flatMap(([triple, faults]) => [...faults].map((fault) => `${triple}: ${fault}`));
  }

  /** One fault for each triple, from different ones for neighbours. */
  assign(): Map<Triple, RpcFault> {
    const lists = [...this.#waiting].filter(([, faults]) => faults.size > 0);
    return new Map(lists.map(([triple, faults], i) => [triple, [...faults][i % faults.size]!]));
  }

  done(triple: Triple, fault: RpcFault): void {
    this.#waiting.get(triple)?.delete(fault);
  }
}

/** A triple and a fault that it meets. */
export type EndpointFault = readonly [Triple, RpcFault];

export const endpointPart: Part = async (context) => {
  const startedAt = performance.now();
  const triples = await recorded(context);
  const all = triples.flatMap((triple) => RPC_FAULT_NAMES.map((fault) => [triple, fault] as const));
  context.say(`${triples.length} triples of role, phase and method, ${RPC_FAULT_NAMES.length} faults: ${all.length}`);
  return disturb(context, spread(all, context.sample), startedAt);
};

/** As many tasks as it takes until each of these faults was injected. */
export async function disturb(
  context: PartContext,
  faults: readonly EndpointFault[],
  startedAt = performance.now(),
): Promise<PartReport> {
  const tally = new Tally(context.say);
  const pending = new Pending(faults);
  for (let task = 0; task < RPC_FAULT_NAMES.length + FURTHER_TASKS && pending.left.length > 0; task++) {
    await disturbedTask(context, pending, tally);
    context.say(`${pending.left.length} faults left`);
  }
  return partReport("endpoint", tally, {
    seconds: (performance.now() - startedAt) / 1000,
    notReached: pending.left,
  });
}

/** What roles ask while nothing fails. */
async function recorded({ task, folder }: PartContext): Promise<readonly Triple[]> {
  const triples = new Set<Triple>();
  const fault = (asked: Asked): undefined => void triples.add(tripleOf(asked));
  const fleet = await Fleet.launch({ task, directory: await folder(), tally: new Tally(), fault });
  try {
    await fleet.play(RECORDED_ROUNDS, RECORDED_ROUNDS * ROUND_SECONDS);
  } finally {
    await fleet.stop();
  }
  return [...triples].sort();
}

/** A task in which each triple meets one fault, as soon as it occurs. */
async function disturbedTask({ task, folder }: PartContext, pending: Pending, tally: Tally): Promise<void> {
  const assigned = pending.assign();
  const marked = new WeakMap<RpcRequest, Triple>();
  let lastHitAt = tally.roundsFinal;
  const hit = (triple: Triple): void => {
    const fault = assigned.get(triple)!;
    assigned.delete(triple);
    pending.done(triple, fault);
    tally.inject(fault);
    lastHitAt = tally.roundsFinal;
  };
  const fleet = await Fleet.launch({
    ...{ task, tally },
    directory: await folder(),
    fault: (asked): Misbehaviour | undefined => {
      const triple = tripleOf(asked);
      const name = assigned.get(triple);
      if (name === undefined) return undefined;
      const fault = RPC_FAULTS[name];
      if ("alter" in fault) return void marked.set(asked.request, triple);
      hit(triple);
      if (fault.forwards) void fleet.forward(asked);
      return fault.instead;
    },
    alter: ({ request }, result) => {
      const triple = marked.get(request);
      const name = triple === undefined ? undefined : assigned.get(triple);
      if (triple === undefined || name === undefined) return result;
      const fault = RPC_FAULTS[name];
      if (!("alter" in fault)) return result;
      const altered = fault.alter(result);
      if (JSON.stringify(altered) === JSON.stringify(result)) return result;
      hit(triple);
      return altered;
    },
  });
  const isMet = (): boolean => assigned.size === 0 || tally.roundsFinal - lastHitAt >= IDLE_ROUNDS;
  await fleet.conclude(isMet, (IDLE_ROUNDS + 1) * ROUND_SECONDS, ROUND_SECONDS);
}
