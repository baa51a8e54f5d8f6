/** In every phase, the latest 1 to 12 blocks are replaced by others, and what they held is gone or mined again. */
import { Transaction } from "ethers";
import { VERISUM_INTERFACE } from "../../../chain/rpc.ts";
import type { Phase } from "../../../chain/task-chain.ts";
import { Fleet } from "../fleet.ts";
import type { Asked } from "../fleet.ts";
import { spread } from "../part.ts";
import type { Part, PartContext } from "../part.ts";
import { partReport } from "../report.ts";
import type { PartReport } from "../report.ts";
import { Tally } from "../tally.ts";
import type { Misbehaviour } from "../../support/rpc-server.ts";

/** Blocks that make a block final: no reorganisation is deeper. */
const CONFIRMATIONS = 12;
const PHASES: readonly Phase[] = ["Idle", "Collecting", "Attesting", "Aggregating"];
const BLOCK_MS = 250;
/** Blocks from one reorganisation to the next. */
const BLOCKS_BETWEEN = 16;
const ROUND_SECONDS = 900;
const MOST_SECONDS = 2400;
/** Comes in place of an answer while round 1 is held back. */
const NOT_NOW: Misbehaviour = { status: 503, body: "not now" };

/** A phase and how many blocks go. */
export type Fork = readonly [Phase, number];

export const reorganisationPart: Part = (context) => {
  const depths = Array.from({ length: CONFIRMATIONS }, (_, i) => i + 1);
  const all = depths.flatMap((depth) => PHASES.map((phase): Fork => [phase, depth]));
  context.say(`${all.length} reorganisations: ${CONFIRMATIONS} depths in ${PHASES.length} phases`);
  return reorganise(context, spread(all, context.sample));
};

/** One task, whose chain forks once for each of these. */
export async function reorganise({ task, folder, say }: PartContext, forks: readonly Fork[]): Promise<PartReport> {
  const startedAt = performance.now();
  const tally = new Tally(say);
  let left = forks;
  let sinceLast = 0;
  const forkAt = async (running: Fleet, phase: Phase): Promise<void> => {
    const fork = left.find(([of]) => of === phase);
    // Each depth comes at another moment of its phase.
    if (fork === undefined || ++sinceLast < BLOCKS_BETWEEN + (fork[1] % 3)) return;
    const [, depth] = fork;
    sinceLast = 0;
    left = left.filter((other) => other !== fork);
    const gone = await running.reorganise(depth);
    tally.inject(phase);
    // Nodes put what was undone back among what waits; at every other depth it is lost.
    if (depth % 2 === 0)
      for (const signed of gone) await running.anvil.ask("eth_sendRawTransaction", signed).catch(() => undefined); // undone before: refused now
    say(`${phase}: ${depth} blocks gone with ${gone.length} transactions; ${left.length} reorganisations left`);
  };
  const fleet = await Fleet.launch({
    ...{ task, tally },
    directory: await folder(),
    confirmations: CONFIRMATIONS,
    blocks: { everyMs: BLOCK_MS, mined: forkAt },
    // Idle comes before the first round only: it lasts as long as there are reorganisations for it.
    fault: (asked) => (opensRound(asked) && left.some(([phase]) => phase === "Idle") ? NOT_NOW : undefined),
  });
  await fleet.conclude(() => left.length === 0, MOST_SECONDS, ROUND_SECONDS);
  const notReached = left.map(([phase, depth]) => `${phase}, ${depth} blocks`);
  return partReport("reorganisation", tally, { seconds: (performance.now() - startedAt) / 1000, notReached });
}

function opensRound({ request: { method, params } }: Asked): boolean {
  if (method !== "eth_sendRawTransaction") return false;
  const { data } = Transaction.from(params[0] as string);
  return VERISUM_INTERFACE.parseTransaction({ data })?.name === "openRound";
}
