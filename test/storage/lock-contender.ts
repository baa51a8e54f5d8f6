/** A process that takes locks as its parent says, and reports each outcome. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { isVerisumError } from "../../protocol/errors.ts";
import { acquireLock, withLock } from "../../storage/lock.ts";
import type { Lock } from "../../storage/lock.ts";

export type Order =
  | { readonly do: "acquire"; readonly path: string }
  | { readonly do: "release" }
  /** Adds 1 to the number in a file, so many times, each time under the lock. */
  | { readonly do: "count"; readonly path: string; readonly counter: string; readonly times: number };

export interface Outcome {
  readonly held: boolean;
  readonly refusal?: string;
  readonly holder?: number;
}

let lock: Lock | undefined;

async function acquire(path: string): Promise<Outcome> {
  try {
    lock = await acquireLock(path);
    return { held: true };
  } catch (error) {
    if (!isVerisumError(error)) throw error;
    return { held: false, refusal: error.code, holder: Number(error.details["pid"]) };
  }
}

async function count(path: string, counter: string, times: number): Promise<void> {
  for (let made = 0; made < times; made++) {
    await withLock(path, async () => {
      await writeFile(`${counter}.inside`, "", { flag: "wx" }); // fails if another process is inside
      await writeFile(counter, String(Number(await readFile(counter, "utf8")) + 1));
      await rm(`${counter}.inside`);
    });
  }
}

process.on("message", (order: Order) => {
  const obey = async (): Promise<Outcome> => {
    switch (order.do) {
      case "acquire":
        return acquire(order.path);
      case "release":
        await lock?.release();
        return { held: false };
      case "count":
        await count(order.path, order.counter, order.times);
        return { held: false };
    }
  };
  obey().then(
    (outcome) => process.send!(outcome),
    (error: unknown) => process.send!({ held: false, refusal: String(error) }),
  );
});
process.send!({ held: false });
