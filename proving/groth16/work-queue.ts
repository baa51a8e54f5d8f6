/** A bound on how much is worked on at a time, and so on the memory that it takes. */

/** Runs work in the order in which it was asked for, at most `limit` pieces at a time. */
export class WorkQueue {
  private readonly limit: number;
  private readonly waiting: (() => void)[] = [];
  private running = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running < this.limit) this.running++;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.running--;
      else next(); // which takes this one's place
    }
  }
}
