/**
 * Acts that were refused, each with the block at which it was: at another block it is tried again, since a
 * reorganisation, or an endpoint that was behind, can be why.
 */
import type { TaskLook } from "../chain/task-chain.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";

export class Refusals {
  readonly #reporter: Reporter;
  readonly #refusedAt = new Map<string, string>();

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  has(act: string, { round, block }: TaskLook): boolean {
    return this.#refusedAt.get(act) === `${round.number} ${block.hash}`;
  }

  note(act: string, { round, block }: TaskLook): void {
    this.#refusedAt.set(act, `${round.number} ${block.hash}`);
  }

  /**
   * Does it, unless it was refused at this block.
   * @returns what it gave; undefined if the contract refuses it
   * @throws every other error
   */
  async attempt<T>(act: string, look: TaskLook, work: () => Promise<T>): Promise<T | undefined> {
    if (this.has(act, look)) return undefined;
    try {
      return await work();
    } catch (error) {
      if (!isVerisumError(error, "CHAIN_REVERTED")) throw error;
      this.note(act, look);
      const round = look.round.number;
      this.#reporter.wait(`round ${round}: ${error.message}; trying again at the next block`, { round });
      return undefined;
    }
  }
}
