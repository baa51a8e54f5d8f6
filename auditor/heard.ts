/** What members say of a round, as far as the task's nodes know it now. */
import type { TaskReader } from "../chain/task-chain.ts";
import { peerFetch } from "../content/peer-fetch.ts";
import { createStatementBoard } from "../task/statement-board.ts";
import type { StatementBoard } from "../task/statement-board.ts";
import { createStatementExchange } from "../task/statement-exchange.ts";

/** Asks every gateway once, for some seconds; each statement is checked. */
export async function heardFrom(
  chain: Pick<TaskReader, "context" | "seats">,
  gateways: readonly string[],
  round: bigint,
): Promise<StatementBoard> {
  const board = createStatementBoard(chain);
  const clock = (): number => performance.now();
  await createStatementExchange({ board, nodes: () => gateways, fetch: peerFetch, clock }).tell(round, []);
  return board;
}
