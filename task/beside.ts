/** Work beside a loop that may take long, a transaction above all: the loop's looks do not wait until it is done. */
import { enoughOf } from "../content/straggling.ts";

/** Longest time that a look waits for work that it began, in milliseconds. */
const PATIENCE_MS = 3000;

/**
 * Does work again and again, once at a time.
 * @returns what the work gave, that of an earlier look included; undefined while it goes on
 * @throws what the work threw
 * @example const beside = createBeside<void>(); // then, at each look: await beside(announce);
 */
export function createBeside<T>(): (work: () => Promise<T>) => Promise<T | undefined> {
  let underWay: Promise<unknown> | undefined;
  let done: ({ readonly result: T } | { readonly cause: unknown })[] = [];
  return async (work) => {
    if (underWay === undefined) {
      underWay = work().then(
        (result) => done.push({ result }),
        (cause: unknown) => done.push({ cause }),
      );
      await enoughOf([underWay], { isEnough: () => false, graceMs: 0, patienceMs: PATIENCE_MS });
    }
    const [outcome] = done;
    if (outcome === undefined) return undefined;
    [underWay, done] = [undefined, []];
    if ("cause" in outcome) throw outcome.cause;
    return outcome.result;
  };
}
