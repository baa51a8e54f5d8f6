/** Where a task is now, and whom it waits for: from the chain, and from the nodes that answer. */
import { join } from "node:path";
import type { RoundState, TaskLook } from "../chain/task-chain.ts";
import { peerFetch } from "../content/peer-fetch.ts";
import { isUnderWay } from "../task/completion.ts";
import { fetchNodeStatus } from "../task/node-status.ts";
import type { NodeStatus } from "../task/node-status.ts";
import type { ReadingNode } from "../task/node.ts";
import { roundNow } from "../task/round-now.ts";
import type { StatementBoard } from "../task/statement-board.ts";
import { heardFrom } from "./heard.ts";
import { partyStates } from "./parties.ts";
import type { PartyState } from "./parties.ts";

export interface Present {
  /** The look's round, where time alone may have ended its collecting since. */
  readonly round: RoundState;
  /** Nodes that were asked. */
  readonly gateways: readonly string[];
  /** What members say of the round. */
  readonly said: StatementBoard;
  readonly parties: readonly PartyState[];
}

/** What of a node is asked. */
interface Asking {
  readonly chain: ReadingNode["chain"];
  readonly task: Pick<ReadingNode["task"], "parameters">;
  readonly network: Pick<ReadingNode["network"], "peers">;
}

/** Asks the chain for what a look lacks, and every node once, for some seconds. */
export async function presentOf({ chain, task: { parameters }, network }: Asking, look: TaskLook): Promise<Present> {
  const { finalisedRounds, clientCount } = look;
  const round = await roundNow(look.round, chain, parameters);
  const gateways = network.peers();
  const [now, said, nodes, clients, members] = await Promise.all([
    isUnderWay(round.phase) ? chain.blockTime() : 0,
    heardFrom(chain, gateways, round.number),
    askNodes(gateways),
    chain.clients(),
    chain.members(),
  ]);
  const moment = {
    ...{ parameters, round, now, records: look.records(round.number), said, finalisedRounds },
    ...{ clients, clientCount, members },
  };
  return { round, gateways, said, parties: partyStates(moment, nodes) };
}

async function askNodes(gateways: readonly string[]): Promise<readonly NodeStatus[]> {
  const answers = await Promise.all(gateways.map((gateway) => fetchNodeStatus(gateway, peerFetch)));
  return answers.filter((answer) => answer !== undefined);
}

/** Where keys may have been verified: here, and in `fl verify`'s own folder, unless both are told another one. */
export function verifiedKeys({ state }: Pick<ReadingNode, "state">): readonly string[] {
  return [state.file("keys"), join(".verisum", "auditor", "keys")];
}
