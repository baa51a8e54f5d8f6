/** A relayer: gathers clients' signed submissions and sends many in one transaction. */
import type { Receipt, SignedSubmission, TaskWriter } from "../../chain/task-chain.ts";

export interface Relay {
  /**
   * Takes one client's submission along. Ends when it is mined; the receipt has this client's part of the gas.
   * @throws as `submitBatch`, for every client of the batch
   */
  send(round: bigint, signed: SignedSubmission): Promise<Receipt>;
}

interface Waiting {
  readonly signed: SignedSubmission;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * @param size submissions that make a batch full
 * @param patienceMs how long the first of a batch waits for others
 */
export function createRelay(relayer: Pick<TaskWriter, "submitBatch">, size: number, patienceMs: number): Relay {
  const waiting = new Map<bigint, Waiting[]>();
  const timers = new Map<bigint, NodeJS.Timeout>();

  const flush = (round: bigint): void => {
    clearTimeout(timers.get(round));
    timers.delete(round);
    const batch = waiting.get(round) ?? [];
    waiting.delete(round);
    relayer
      .submitBatch(
        round,
        batch.map(({ signed }) => signed),
      )
      .then(
        (receipt) =>
          batch.forEach(({ resolve }) => resolve({ ...receipt, gasUsed: receipt.gasUsed / BigInt(batch.length) })),
        (reason: unknown) => batch.forEach(({ reject }) => reject(reason)),
      );
  };

  return {
    send: (round, signed) =>
      new Promise((resolve, reject) => {
        const batch = waiting.get(round) ?? [];
        batch.push({ signed, resolve, reject });
        waiting.set(round, batch);
        if (batch.length === 1)
          timers.set(
            round,
            setTimeout(() => flush(round), patienceMs),
          );
        if (batch.length >= size) flush(round);
      }),
  };
}
