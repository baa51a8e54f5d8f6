/** Roots that a store cannot read although it goes on answering, as a Kubo node whose disk has lost a part. */
import type { ContentStore } from "../content/store.ts";
import { mayPass } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";

/** What a look at a root finds; undefined if the store cannot read it now. */
export type LookAtRoot = <T>(cid: string, look: () => Promise<T>) => Promise<{ readonly found: T } | undefined>;

/**
 * Passes over such roots, each with one warning until it was read again: one keeps no others from being removed.
 * @returns what throws if it is the store that fails, and not a root
 */
export function createLookAtRoot(store: Pick<ContentStore, "pins">, reporter: Reporter): LookAtRoot {
  const unreadable = new Set<string>();
  return async (cid, look) => {
    try {
      const found = await look();
      unreadable.delete(cid);
      return { found };
    } catch (error) {
      if (!mayPass(error)) throw error;
      // A node that is away does not answer this either.
      await store.pins();
      const text = `root ${cid} cannot be read: ${error.message}; it stays, and is looked at again in a later round`;
      if (!unreadable.has(cid)) reporter.say("warn", "root-unreadable", text, { subject: cid, cid, code: error.code });
      unreadable.add(cid);
      return undefined;
    }
  };
}
