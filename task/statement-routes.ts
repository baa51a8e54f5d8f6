/** Where a node serves the statements that it knows, and takes others'. */
import type { FastifyInstance } from "fastify";
import { acceptJson, addLimitedRoutes, LIMITED } from "../content/post-limit.ts";
import { VerisumError } from "../protocol/errors.ts";
import { answerRefusal } from "./refusal.ts";
import type { StatementBoard } from "./statement-board.ts";
import { parseStatement, statementJson } from "./statements.ts";

const MAX_STATEMENT_BYTES = 4096;

/**
 * Adds `GET /v1/statements/{round}`, all that the board knows of the round, and `POST /v1/statements/{round}`, which
 * takes one: 201 if it is new, 200 if it is known; errors are `{ code, message }`.
 */
export function addStatementRoutes(app: FastifyInstance, board: StatementBoard): void {
  acceptJson(app, MAX_STATEMENT_BYTES);
  app.get("/v1/statements/:round", async (request, reply) => {
    try {
      const round = roundIn(request.params);
      const statements = board.of(round).map(statementJson);
      return await reply.header("cache-control", "no-store").send({ round: round.toString(), statements });
    } catch (error) {
      return answerRefusal(error, reply);
    }
  });
  addLimitedRoutes(app, (scope) => {
    scope.setErrorHandler((error, _request, reply) => answerRefusal(error, reply));
    scope.post("/v1/statements/:round", { bodyLimit: MAX_STATEMENT_BYTES, config: LIMITED }, async (request, reply) => {
      const statement = parseStatement(roundIn(request.params), request.body);
      const isNew = await board.add(statement);
      return reply.status(isNew ? 201 : 200).send({ seat: statement.seat });
    });
  });
}

function roundIn(parameters: unknown): bigint {
  const { round } = parameters as { round: string };
  if (!/^[0-9]{1,19}$/.test(round)) throw new VerisumError("REQUEST_INVALID", "not a round number");
  return BigInt(round);
}
