/** What is known of a task now, besides what the tables count by round. */
import type { RoundState, TaskLook, TaskReader } from "../chain/task-chain.ts";
import { cidFromDigest } from "../content/cid.ts";
import { plainText } from "../content/report.ts";
import type { Hex } from "../protocol/transcript.ts";
import { comingChanges } from "../task/coming-changes.ts";
import type { OpenTask } from "../task/opened-task.ts";
import { privacySummary } from "../task/privacy-summary.ts";
import { influenceLine, influenceOf, taskWarnings } from "../task/warnings.ts";
import { shortWindows } from "../task/windows.ts";
import type { TaskSnapshot } from "./api/schema.ts";

/** What others find out about a task: who checks keys and parties is not the index's business. */
export interface Observations {
  readonly keys: TaskSnapshot["keys"];
  /** Of this look, where time alone may have ended its collecting. */
  readonly round: RoundState;
  readonly gateways: readonly string[];
  /** Of this look. */
  readonly parties: TaskSnapshot["parties"];
  /** Members whose statements of the round are known: what they attested and released is on no chain. */
  readonly attested: number;
  readonly released: number;
}

/** Phases that end by time: of the others the contract keeps the last one's deadline. */
const TIMED: readonly RoundState["phase"][] = ["Collecting", "Attesting", "Aggregating"];

export async function snapshotOf(
  { chain, task }: { readonly chain: TaskReader; readonly task: OpenTask },
  look: TaskLook,
  { keys, round, gateways, parties, attested, released }: Observations,
): Promise<TaskSnapshot> {
  const { document, parameters } = task;
  const { latestModel } = look;
  const [timing, members, operator, block] = await Promise.all([
    chain.timing(),
    chain.members(),
    chain.operator(),
    chain.block(look.block.number),
  ]);
  const privacy = privacySummary(task, Number(look.privacySpent));
  return {
    name: document.name,
    description: document.description,
    taskCid: cidFromDigest(parameters.taskCid),
    operator,
    dimension: parameters.dimension,
    model: modelInShort(document.model),
    round: {
      ...{ number: Number(round.number), phase: round.phase },
      deadline: TIMED.includes(round.phase) ? round.deadline : 0,
      ...{ submitted: round.submitted, expected: round.expected },
      ...{ attested, released },
    },
    latestBlock: { number: look.block.number, time: block?.timestamp ?? 0 },
    finalBlock: look.finalBlock,
    secondsPerBlock: timing.secondsPerBlock,
    finalisedRounds: look.finalisedRounds,
    maxRounds: parameters.maxRounds,
    clients: look.clientCount,
    latestModel: { round: Number(latestModel.round), cid: cidFromDigest(latestModel.cid) },
    committee: {
      ...{ seats: parameters.committeeSize, threshold: parameters.threshold, quorum: parameters.quorum },
      members: members.map((member) => member.toLowerCase() as Hex),
    },
    limits: {
      ...{ minClients: parameters.minClients, minHonest: parameters.minHonest },
      ...{ maxCorrupt: parameters.maxCorrupt, openRegistration: parameters.openRegistration },
      ...{ bufferGoal: parameters.bufferGoal, maxStaleness: parameters.maxStaleness },
    },
    windows: {
      collect: parameters.collectSeconds,
      attest: parameters.attestSeconds,
      aggregate: parameters.aggregateSeconds,
    },
    influence: { ...influenceOf(document, parameters), says: influenceLine(document, parameters) },
    privacy,
    keys,
    changes: comingChanges(look).map(({ says }) => says),
    warnings: [...taskWarnings(document, parameters), ...shortWindows(parameters, timing)].map(({ text }) => text),
    gateways: [...gateways],
    // What nodes say of themselves comes from strangers.
    parties: parties.map(({ says, ...party }) => (says === undefined ? party : { ...party, says: plainText(says) })),
  };
}

/** Layers by their kinds and sizes, as `dense 32, relu`; empty for a model that lists none. */
function modelInShort({ layers, kind }: Readonly<Record<string, unknown>>): string {
  if (!Array.isArray(layers)) return typeof kind === "string" ? kind : "";
  return layers
    .map((layer: unknown) => {
      const entries = typeof layer === "object" && layer !== null ? Object.entries(layer) : [];
      return entries
        .filter(([, value]) => typeof value === "string" || typeof value === "number")
        .map(([, value]) => String(value))
        .join(" ");
    })
    .join(", ");
}
