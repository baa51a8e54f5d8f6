/** The round that a node's route names in its path. */
import type { FastifyRequest } from "fastify";
import { VerisumError } from "../protocol/errors.ts";

/** Of a route with `:round` in its path. @throws REQUEST_INVALID */
export function roundIn({ params }: Pick<FastifyRequest, "params">): bigint {
  const { round } = params as { round: string };
  if (!/^[0-9]{1,19}$/.test(round)) throw new VerisumError("REQUEST_INVALID", "not a round number");
  return BigInt(round);
}
