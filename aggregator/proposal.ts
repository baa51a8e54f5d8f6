/** A round's proposed result, as the aggregator offers it over HTTP and members answer with signatures. */
import type { FastifyInstance, RouteHandlerMethod } from "fastify";
import { acceptJson, addLimitedRoutes, LIMITED } from "../content/post-limit.ts";
import type { CompactSignature, SeatSignature } from "../chain/task-chain.ts";
import { signatureSchema } from "../task/proposal-exchange.ts";
import type { Proposal } from "../task/proposal-exchange.ts";
import { VerisumError } from "../protocol/errors.ts";
import { answerRefusal } from "../task/refusal.ts";

const MAX_BODY_BYTES = 4096;

/** The proposal on offer and the signatures received for it. */
export interface ProposalBoard {
  offer(proposal: Proposal): void;
  signatures(): readonly SeatSignature[];
}

/**
 * Adds `GET /v1/proposals/{round}` and `POST /v1/proposals/{round}/signatures`.
 * @param verify checks a signature over the offered result before it is kept
 * @param onSignature called after the first signature of each seat; another one of it says nothing more
 */
export function addProposalRoutes(
  app: FastifyInstance,
  verify: (proposal: Proposal, signature: SeatSignature) => Promise<boolean>,
  onSignature: () => void,
): ProposalBoard {
  let current: Proposal | undefined;
  let received = new Map<number, CompactSignature>();
  acceptJson(app, MAX_BODY_BYTES);
  const offered = (parameters: unknown): Proposal | undefined => {
    const { round } = parameters as { round: string };
    return current !== undefined && current.round.toString() === round ? current : undefined;
  };
  const missing = (): VerisumError => new VerisumError("PROPOSAL_MISSING", "no result is proposed for this round");
  app.get("/v1/proposals/:round", async (request, reply) => {
    const proposal = offered(request.params);
    if (proposal === undefined) return answerRefusal(missing(), reply);
    return reply.header("cache-control", "no-store").send({
      ...proposal,
      round: proposal.round.toString(),
      signatures: [...received].map(([seat, signature]) => ({ seat, ...signature })),
    });
  });
  const take: RouteHandlerMethod = async (request, reply) => {
    const proposal = offered(request.params);
    const parsed = signatureSchema.safeParse(request.body);
    if (proposal === undefined) return answerRefusal(missing(), reply);
    if (!parsed.success) return answerRefusal(new VerisumError("REQUEST_INVALID", "not a signature"), reply);
    const { seat, r, vs } = parsed.data;
    const signature: SeatSignature = { seat, signature: { r, vs } };
    const held = received.get(seat);
    if (held?.r === r && held.vs === vs) return reply.status(200).send({ seat });
    if (!(await verify(proposal, signature)))
      return answerRefusal(
        new VerisumError("SIGNATURE_INVALID", "the signature is not by this seat, or not of the proposed result"),
        reply,
      );
    // Another result may be on offer by now.
    if (current !== proposal) return answerRefusal(missing(), reply);
    const isFirst = !received.has(seat);
    received.set(seat, signature.signature);
    if (isFirst) onSignature();
    return reply.status(201).send({ seat });
  };
  const options = { bodyLimit: MAX_BODY_BYTES, config: LIMITED };
  addLimitedRoutes(app, (scope) => void scope.post("/v1/proposals/:round/signatures", options, take));
  return {
    offer: (proposal) => {
      current = proposal;
      received = new Map();
    },
    signatures: () => [...received].map(([seat, signature]) => ({ seat, signature })).sort((a, b) => a.seat - b.seat),
  };
}
