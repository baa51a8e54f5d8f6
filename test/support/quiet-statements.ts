/** A board that hears nothing from other nodes. For tests only. */
import type { TaskReader } from "../../chain/task-chain.ts";
import type { NodeStatements } from "../../task/node-statements.ts";
import { createStatementBoard } from "../../task/statement-board.ts";

export function quietStatements(chain: Pick<TaskReader, "context" | "seats">): NodeStatements {
  const exchange = { tell: () => Promise.resolve(0), hear: () => Promise.resolve() };
  return { board: createStatementBoard(chain), exchange };
}
