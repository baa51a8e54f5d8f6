/** A node's own board of statements, served by its gateway, and those of its siblings' nodes. */
import type { FastifyInstance } from "fastify";
import type { TaskReader } from "../chain/task-chain.ts";
import type { TaskCells } from "./opened-task.ts";
import type { PeerNetwork } from "./peer-network.ts";
import { createStatementBoard } from "./statement-board.ts";
import type { StatementBoard } from "./statement-board.ts";
import { createStatementExchange } from "./statement-exchange.ts";
import type { StatementExchange } from "./statement-exchange.ts";
import { addStatementRoutes } from "./statement-routes.ts";

export interface NodeStatements {
  readonly board: StatementBoard;
  readonly exchange: StatementExchange;
}

interface StatementPorts {
  readonly fetch: typeof globalThis.fetch;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Of each statement; whether its seat signed it unless told. */
  readonly check?: Parameters<typeof createStatementBoard>[2];
}

/** @param onNew called with each statement that is new here */
export function openStatements(
  app: FastifyInstance,
  { chain, network }: { readonly chain: TaskReader; readonly network: Pick<PeerNetwork, "peers"> },
  { fetch, clock, check }: StatementPorts,
  onNew?: Parameters<typeof createStatementBoard>[1],
): NodeStatements {
  const board = createStatementBoard(chain, onNew, check);
  addStatementRoutes(app, board);
  return { board, exchange: createStatementExchange({ board, nodes: network.peers, fetch, clock }) };
}

/** What the nodes of siblings know of their releases. */
export function siblingReleases(
  { nodesOf }: Pick<PeerNetwork, "nodesOf">,
  { fetch, clock }: StatementPorts,
): TaskCells["releasesOf"] {
  const known = new Map<string, NodeStatements>();
  const statementsOf = (sibling: TaskReader): NodeStatements => {
    const { contract } = sibling.context;
    let statements = known.get(contract);
    if (statements === undefined) {
      const board = createStatementBoard(sibling);
      statements = {
        board,
        exchange: createStatementExchange({ board, nodes: () => nodesOf(contract), fetch, clock }),
      };
      known.set(contract, statements);
    }
    return statements;
  };
  return async (sibling, { round, settlement }) => {
    const { board, exchange } = statementsOf(sibling);
    await exchange.hear(round, []);
    return board.releases(round, settlement);
  };
}
