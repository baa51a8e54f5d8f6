/**
 * What nodes mean when they do not take a transaction: each puts it in words of its own, and few use codes. Known are
 * those of go-ethereum and its descendants, Nethermind, Erigon, Besu, Reth, Anvil, Hardhat and Parity's.
 */
import { describe } from "./transport.ts";

/**
 * - `known`: the node has this very transaction already;
 * - `nonce-used`: one with this nonce is mined;
 * - `underpriced`: another one with this nonce waits, or the fees are below what the node or the block asks for;
 * - `funds`: the account cannot pay;
 * - `other`: anything else.
 */
export type Refusal = "known" | "nonce-used" | "underpriced" | "funds" | "other";

/** The first that fits counts: a nonce that is too low is no fee that is. */
const WORDS: readonly (readonly [Refusal, RegExp])[] = [
  ["underpriced", /with (the )?same nonce/i],
  [
    "known",
    /already ?known|known transaction|already (been )?(imported|exists|in the)|same hash|duplicate transaction/i,
  ],
  ["nonce-used", /nonce.*(too low|already been used|below)|(old|low) ?nonce/i],
  [
    "funds",
    /insufficient ?(funds|balance|sender balance)|(enough|lack ?of) ?(funds?|balance)|exceeds (allowance|account balance)/i,
  ],
  [
    "underpriced",
    /underpriced|(fee|price|tip)s? ?(is )?(too ?low|below|under|less than|cap less than)|fee ?too ?low|less than (block )?base fee|minimum needed|could not replace|replacement ?not ?allowed/i,
  ],
];

const CODES: Readonly<Record<string, Refusal>> = {
  NONCE_EXPIRED: "nonce-used",
  REPLACEMENT_UNDERPRICED: "underpriced",
  INSUFFICIENT_FUNDS: "funds",
};

/** @param error what ethers threw for a node's answer; its own reading of some answers is kept for want of words */
export function refusalOf(error: unknown): Refusal {
  const { code, info } = (error ?? {}) as { code?: unknown; info?: { error?: { message?: unknown } } };
  const said = info?.error?.message;
  const words = typeof said === "string" ? said : describe(error ?? {});
  return WORDS.find(([, pattern]) => pattern.test(words))?.[0] ?? CODES[String(code)] ?? "other";
}
