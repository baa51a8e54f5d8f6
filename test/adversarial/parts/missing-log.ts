/** Every kind of event is left out of one answer to every kind of role, once each. */
import type { VerisumEvents } from "../../../chain/generated/verisum.ts";
import { VERISUM_INTERFACE } from "../../../chain/rpc.ts";
import { Fleet } from "../fleet.ts";
import type { RoleKind } from "../fleet.ts";
import { spread } from "../part.ts";
import type { Part, PartContext } from "../part.ts";
import { partReport } from "../report.ts";
import { Tally } from "../tally.ts";

const IDLE_ROUNDS = 3;
const MOST_TASKS = 3;
const ROUND_SECONDS = 600;
const KINDS: readonly RoleKind[] = ["aggregator", "member", "client"];

/** Events of a task whose clients are listed, stay and submit in one step, and whose rounds all become final. */
const EVENTS = [
  ...["MemberRegistered", "ClientRegistered", "EndpointAnnounced", "RoundKeysRegistered", "RoundOpened"],
  ...["Submitted", "Settled", "Finalised"],
] as const satisfies readonly (keyof VerisumEvents)[];

interface RawLog {
  readonly topics: readonly string[];
}

export const missingLogPart: Part = async (context) => {
  const startedAt = performance.now();
  const tally = new Tally(context.say);
  const all = KINDS.flatMap((kind) => EVENTS.map((event) => `${kind}: ${event}`));
  context.say(`${EVENTS.length} kinds of events, ${KINDS.length} kinds of roles: ${all.length}`);
  const left = new Set(spread(all, context.sample));
  for (let task = 0; task < MOST_TASKS && left.size > 0; task++) await forgetfulTask(context, left, tally);
  const seconds = (performance.now() - startedAt) / 1000;
  return partReport("missing log", tally, { seconds, notReached: [...left] });
};

/** A task whose endpoints leave out each of these once, the newest of its kind. */
async function forgetfulTask({ task, folder }: PartContext, left: Set<string>, tally: Tally): Promise<void> {
  let lastAt = tally.roundsFinal;
  const fleet = await Fleet.launch({
    ...{ task, tally },
    directory: await folder(),
    alter: ({ kind, request }, result) => {
      if (request.method !== "eth_getLogs") return result;
      const logs = result as readonly RawLog[];
      const index = logs.findLastIndex(({ topics }) => left.has(`${kind}: ${eventOf(topics)}`));
      if (index === -1) return result;
      left.delete(`${kind}: ${eventOf(logs[index]!.topics)}`);
      tally.inject(eventOf(logs[index]!.topics));
      lastAt = tally.roundsFinal;
      return logs.toSpliced(index, 1);
    },
  });
  const isMet = (): boolean => left.size === 0 || tally.roundsFinal - lastAt >= IDLE_ROUNDS;
  await fleet.conclude(isMet, (IDLE_ROUNDS + 1) * ROUND_SECONDS, ROUND_SECONDS);
}

const eventOf = (topics: readonly string[]): string => VERISUM_INTERFACE.getEvent(topics[0]!)?.name ?? "unknown";
