/** A round's proposed result, as nodes offer it over HTTP and members answer with signatures. */
import type { RoundResult, SeatSignature } from "../chain/task-chain.ts";
import { readBody } from "../content/peers.ts";
import { z } from "zod";
import { VerisumError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import { metricsSchema } from "./checkpoint.ts";
import type { CheckpointConfig } from "./checkpoint.ts";

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
  metrics: metricsSchema.nullable(),
});
export const signatureSchema = z.strictObject({ seat: z.int().min(1).max(32), r: word, vs: word });
const offerSchema = proposalSchema.extend({ signatures: z.array(signatureSchema).max(32) });

export interface Proposal {
  readonly round: bigint;
  readonly result: RoundResult;
  readonly metrics: CheckpointConfig["metrics"];
}

/** A proposal as its node serves it: with the signatures so far, so that anybody can finalise it. */
export interface Offer extends Proposal {
  readonly signatures: readonly SeatSignature[];
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

/** @throws SIGNATURE_NOT_TAKEN if the node does not take the signature */
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
    throw new VerisumError("SIGNATURE_NOT_TAKEN", `${baseUrl} cannot be reached`, { peer: baseUrl }, { cause });
  });
  await response.body?.cancel();
  if (!response.ok)
    throw new VerisumError("SIGNATURE_NOT_TAKEN", `${baseUrl} refused the signature with status ${response.status}`, {
      peer: baseUrl,
    });
}
function withSlash(url: string): string {
  return url.endsWith("/") ? url : `${url}/`;
}
