/** A round's proposed result, as the aggregator offers it over HTTP and members answer with signatures. */
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { VerisumError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import { readBody } from "../content/peers.ts";
import type { CompactSignature, RoundResult } from "../chain/task-chain.ts";
import type { CheckpointConfig } from "../task/checkpoint.ts";

const MAX_BODY_BYTES = 4096;
/** A proposal with the signatures of 32 seats. */
const MAX_PROPOSAL_BYTES = 16_384;
const TIMEOUT_MS = 10_000;

const word = z.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-f]{64}$/.test(value));
const proposalSchema = z.strictObject({
  round: z
    .string()
    .regex(/^[0-9]{1,20}$/)
    .transform(BigInt),
  result: z.strictObject({ aggregateCid: word, aggregateDigest: word, modelCid: word, modelDigest: word }),
  metrics: z.strictObject({ accuracy: z.number(), loss: z.number(), samples: z.int() }).nullable(),
});
const signatureSchema = z.strictObject({ seat: z.int().min(1).max(32), r: word, vs: word });
const offerSchema = proposalSchema.extend({ signatures: z.array(signatureSchema).max(32) });

export interface Proposal {
  readonly round: bigint;
  readonly result: RoundResult;
  readonly metrics: CheckpointConfig["metrics"];
}

export interface SeatSignature {
  readonly seat: number;
  readonly signature: CompactSignature;
}

/** A proposal as its node serves it: with the signatures so far, so that anybody can finalise it. */
export interface Offer extends Proposal {
  readonly signatures: readonly SeatSignature[];
}

/** The proposal on offer and the signatures received for it. */
export interface ProposalBoard {
  offer(proposal: Proposal): void;
  signatures(): readonly SeatSignature[];
}

/**
 * Adds `GET /v1/proposals/{round}` and `POST /v1/proposals/{round}/signatures`.
 * @param verify checks a signature over the offered result before it is kept
 */
export function addProposalRoutes(
  app: FastifyInstance,
  verify: (proposal: Proposal, signature: SeatSignature) => Promise<boolean>,
): ProposalBoard {
  let current: Proposal | undefined;
  let received = new Map<number, CompactSignature>();
  app.addContentTypeParser(
    "application/json",
    { parseAs: "string", bodyLimit: MAX_BODY_BYTES },
    app.getDefaultJsonParser("error", "error"),
  );
  const offered = (parameters: unknown): Proposal | undefined => {
    const { round } = parameters as { round: string };
    return current !== undefined && current.round.toString() === round ? current : undefined;
  };
  app.get("/v1/proposals/:round", async (request, reply) => {
    const proposal = offered(request.params);
    if (proposal === undefined)
      return reply.status(404).send({ code: "IPFS_NOT_FOUND", message: "no result is proposed for this round" });
    return reply.header("cache-control", "no-store").send({
      ...proposal,
      round: proposal.round.toString(),
      signatures: [...received].map(([seat, signature]) => ({ seat, ...signature })),
    });
  });
  app.post("/v1/proposals/:round/signatures", { bodyLimit: MAX_BODY_BYTES }, async (request, reply) => {
    const proposal = offered(request.params);
    const parsed = signatureSchema.safeParse(request.body);
    if (proposal === undefined || !parsed.success)
      return reply
        .status(400)
        .send({ code: "IPFS_REQUEST_INVALID", message: "not a signature for the proposed round" });
    const { seat, r, vs } = parsed.data;
    const signature: SeatSignature = { seat, signature: { r, vs } };
    const held = received.get(seat);
    if (held?.r === r && held.vs === vs) return reply.status(200).send({ seat });
    if (!(await verify(proposal, signature)))
      return reply
        .status(403)
        .send({ code: "AUDIT_FAILED", message: "the signature is not the seat's over the proposed result" });
    received.set(seat, signature.signature);
    return reply.status(201).send({ seat });
  });
  return {
    offer: (proposal) => {
      current = proposal;
      received = new Map();
    },
    signatures: () => [...received].map(([seat, signature]) => ({ seat, signature })).sort((a, b) => a.seat - b.seat),
  };
}

/** Asks a node for its proposal; undefined if it has none or cannot be reached. */
export async function fetchProposal(
  baseUrl: string,
  round: bigint,
  fetch: typeof globalThis.fetch,
): Promise<Offer | undefined> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(new URL(`v1/proposals/${round}`, withSlash(baseUrl)), { redirect: "error", signal });
    const body = await readBody(response, MAX_PROPOSAL_BYTES, signal);
    if (!response.ok) return undefined;
    const parsed = offerSchema.safeParse(JSON.parse(new TextDecoder().decode(body)));
    if (!parsed.success || parsed.data.round !== round) return undefined;
    return {
      ...parsed.data,
      signatures: parsed.data.signatures.map(({ seat, r, vs }) => ({ seat, signature: { r, vs } })),
    };
  } catch {
    return undefined;
  }
}

/** @throws IPFS_UNAVAILABLE if the node does not take the signature */
export async function sendSignature(
  baseUrl: string,
  round: bigint,
  { seat, signature }: SeatSignature,
  fetch: typeof globalThis.fetch,
): Promise<void> {
  const url = new URL(`v1/proposals/${round}/signatures`, withSlash(baseUrl));
  const request = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ seat, ...signature }),
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  } as const;
  const response = await fetch(url, request).catch((cause: unknown) => {
    throw new VerisumError("IPFS_UNAVAILABLE", `${baseUrl} cannot be reached`, { peer: baseUrl }, { cause });
  });
  await response.body?.cancel();
  if (!response.ok)
    throw new VerisumError("IPFS_UNAVAILABLE", `${baseUrl} refused the signature with status ${response.status}`, {
      peer: baseUrl,
    });
}

function withSlash(url: string): string {
  return url.endsWith("/") ? url : `${url}/`;
}
