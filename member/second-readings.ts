/**
 * Nobody is blamed by one reading of the chain: what an endpoint left out, or took from a branch that the chain has
 * left, would be somebody's fault. Whoever is suspected is judged again after the round was read anew, from another
 * endpoint if there is one.
 */
import type { TaskReader } from "../chain/task-chain.ts";

/**
 * Whether an earlier reading said the same of this subject; if not, the chain is read again before the next look: the
 * present round, or all that this machine knows of earlier rounds as well.
 */
export type Confirms = (subject: string, reach?: Reach) => boolean;

export type Reach = "round" | "past";

/** Suspicions kept; those that are forgotten cost one more reading. */
const MOST_SUSPECTED = 4_096;

export class SecondReadings {
  readonly #chain: Pick<TaskReader, "reread" | "rereadRound">;
  /** By subject: the first reading that spoke against it. */
  readonly #suspected = new Map<string, number>();
  #reading = 0;
  #due: Reach | undefined;

  constructor(chain: Pick<TaskReader, "reread" | "rereadRound">) {
    this.#chain = chain;
  }

  /** To be called before each look. Returns what judges by that look, whenever its work ends. */
  async begin(): Promise<Confirms> {
    if (this.#due === "past") await this.#chain.reread("this member would lose its keys by what it says");
    else if (this.#due === "round") await this.#chain.rereadRound("somebody would be blamed for what it says");
    this.#due = undefined;
    if (this.#suspected.size > MOST_SUSPECTED) this.#suspected.clear();
    const reading = ++this.#reading;
    return (subject, reach = "round") => {
      const first = this.#suspected.get(subject);
      if (first !== undefined) return first < reading;
      this.#suspected.set(subject, reading);
      this.#due = this.#due === "past" ? "past" : reach;
      return false;
    };
  }

  /** What a later reading did not say is suspected anew if it is said again. */
  forget(subject: string): void {
    this.#suspected.delete(subject);
  }
}
