/**
 * Every node that serves a task keeps its keys whole. Members and aggregators need the powers alone; but a client that
 * joins later needs what proves, and whoever published it may be gone by then.
 */
import { cidFromDigest } from "../content/cid.ts";
import type { ContentStore } from "../content/store.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { createBeside } from "./beside.ts";
import type { TaskDocument } from "./document.ts";

/** Between attempts. */
const PAUSE_MS = 60_000;

export interface KeepingDependencies {
  readonly store: Pick<ContentStore, "pin">;
  readonly document: Pick<TaskDocument, "keysCid">;
  readonly reporter: Reporter;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

/** Fetches what is missing of the keys and pins them, beside the looks at which it is called, until that is done. */
export function createKeyKeeper({ store, document, reporter, clock }: KeepingDependencies): () => Promise<void> {
  const cid = cidFromDigest(document.keysCid);
  const beside = createBeside<boolean>();
  let [isKept, restsUntil] = [false, -Infinity];
  const keep = async (): Promise<boolean> => {
    await store.pin(cid);
    return true;
  };
  return async () => {
    if (isKept || clock() < restsUntil) return;
    try {
      isKept = (await beside(keep)) ?? false;
    } catch (error) {
      // A folder that is no good keeps clients out; what a member or an aggregator needs of it may be there.
      if (!isVerisumError(error) || error.entry.role === "end") throw error;
      restsUntil = clock() + PAUSE_MS;
      const text = `the task's keys are not all here yet, for clients that join: ${error.message}; they are asked for again`;
      reporter.say("warn", "keys-not-kept", text, { cid, code: error.code });
    }
  };
}
