/**
 * Nobody is blamed by one reading of the chain: what an endpoint left out, or took from a branch that the chain has
 * left, would be somebody's fault. Whoever is suspected is judged again after the round was read anew, from another
 * endpoint if there is one.
 */
import type { TaskReader } from "../chain/task-chain.ts";

/** Whether an earlier reading said the same of this subject; if not, the chain is read again before the next look. */
export type Confirms = (subject: string) => boolean;

/** Suspicions kept; those that are forgotten cost one more reading. */
const MOST_SUSPECTED = 4_096;

export class SecondReadings {
  readonly #chain: Pick<TaskReader, "rereadRound">;
  /** By subject: the first reading that spoke against it. */
  readonly #suspected = new Map<string, number>();
  #reading = 0;
  #isDue = false;

  constructor(chain: Pick<TaskReader, "rereadRound">) {
    this.#chain = chain;
  }

  /** To be called before each look. Returns what judges by that look, whenever its work ends. */
  async begin(): Promise<Confirms> {
    if (this.#isDue) await this.#chain.rereadRound("somebody would be blamed for what it says");
    this.#isDue = false;
    if (this.#suspected.size > MOST_SUSPECTED) this.#suspected.clear();
    const reading = ++this.#reading;
    return (subject) => {
      const first = this.#suspected.get(subject);
      if (first !== undefined) return first < reading;
      this.#suspected.set(subject, reading);
      this.#isDue = true;
      return false;
    };
  }
}
