/** What the page and the verifier's worker tell one another. */
import type { Finding } from "../../auditor/checklist.ts";
import type { VerifiedHere } from "../../auditor/verify-here.ts";

/** What to verify; endpoints and gateways are in the worker's own address, which its policy is made of. */
export interface VerifyRequest {
  readonly contract: string;
  readonly chainId: string;
}

export type VerifierMessage =
  | { readonly kind: "finding"; readonly finding: Finding }
  /** What was found is read again before it is believed: its findings no longer count. */
  | { readonly kind: "again"; readonly why: string }
  | ({ readonly kind: "verdict" } & VerifiedHere)
  | { readonly kind: "failure"; readonly code: string; readonly message: string };

/** The query that names endpoints and gateways. */
export function placesQuery(rpc: readonly string[], gateways: readonly string[]): string {
  const query = new URLSearchParams();
  for (const url of rpc) query.append("rpc", url);
  for (const url of gateways) query.append("gateway", url);
  return `?${query.toString()}`;
}
