/** Where a node serves the statements that it knows, and takes others'. */
import type { FastifyInstance } from "fastify";
import { acceptJson, addLimitedRoutes, LIMITED } from "../content/post-limit.ts";
import { answerRefusal } from "./refusal.ts";
import { roundIn } from "./round-parameter.ts";
import type { StatementBoard } from "./statement-board.ts";
import { parseStatement, statementJson } from "./statements.ts";

const MAX_STATEMENT_BYTES = 4096;

/**
 * Adds `GET /v1/statements/{round}`, all that the board knows of the round, and `POST /v1/statements/{round}`, which
 * takes one: 201 if it is new, 200 if it is known; errors are `{ code, message }`.
 */
export function addStatementRoutes(app: FastifyInstance, board: StatementBoard): void {
  acceptJson(app, MAX_STATEMENT_BYTES);
  addLimitedRoutes(app, (scope) => {
    scope.setErrorHandler((error, _request, reply) => answerRefusal(error, reply));
    scope.get("/v1/statements/:round", async (request, reply) => {
      const round = roundIn(request);
      const statements = board.of(round).map(statementJson);
      return reply.header("cache-control", "no-store").send({ round: round.toString(), statements });
    });
    scope.post("/v1/statements/:round", { bodyLimit: MAX_STATEMENT_BYTES, config: LIMITED }, async (request, reply) => {
      const statement = parseStatement(roundIn(request), request.body);
      const isNew = await board.add(statement);
      return reply.status(isNew ? 201 : 200).send({ seat: statement.seat });
    });
  });
}
