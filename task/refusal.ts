/** How a node's routes refuse: with the status that the error's code has, and `{ code, message }`. */
import type { FastifyReply } from "fastify";
import { isVerisumError } from "../protocol/errors.ts";

/** @throws the error itself if it is none that strangers are told */
export function answerRefusal(error: unknown, reply: FastifyReply): FastifyReply {
  if (!isVerisumError(error) || error.entry.http === undefined) throw error;
  return reply.status(error.entry.http).send({ code: error.code, message: error.message });
}
