/** How many submissions one transaction takes. */

/** What a call should stay below: 70 % of the 16,777,216 that a transaction may use (EIP-7825). */
export const TRANSACTION_GAS_TARGET = 12_000_000;

/**
 * Gas by parts, each rounded up from measurements; `test/contracts/gas-limits.test.ts` holds the sum against the
 * contract.
 */
const BATCH_GAS = 220_000;
const CLIENT_GAS = 82_000;
const CHUNK_GAS = 68_000;
/** Calldata, event and hashing of one share hash or evaluation. */
const WORD_GAS = 1_100;

interface Committee {
  readonly committeeSize: number;
  readonly threshold: number;
}

/** Most gas that a batch of `clients` submissions with `chunks` chunks each uses, in a round whose slots are fresh. */
export function batchGas(clients: number, chunks: number, { committeeSize, threshold }: Committee): number {
  return BATCH_GAS + clients * (CLIENT_GAS + chunks * CHUNK_GAS + (committeeSize + threshold) * WORD_GAS);
}

/**
 * Submissions with `chunks` chunks that one batch may hold; zero if not even one fits, which then goes in several
 * transactions.
 */
export function largestBatch(chunks: number, committee: Committee): number {
  return Math.max(
    0,
    Math.floor(
      (TRANSACTION_GAS_TARGET - batchGas(0, chunks, committee)) /
        (batchGas(1, chunks, committee) - batchGas(0, chunks, committee)),
    ),
  );
}
