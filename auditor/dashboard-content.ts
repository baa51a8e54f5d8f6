/** What a dashboard's gateway serves: what its nodes hold, and what the index names once somebody asks for it. */
import type { ContentStore } from "../content/store.ts";
import type { Queries } from "../indexer/database/database.ts";
import { isVerisumError } from "../protocol/errors.ts";

/** Columns of the index that hold CIDs of published directories. */
const NAMED = [
  "SELECT model_cid FROM rounds WHERE model_cid = ?",
  "SELECT aggregate_cid FROM rounds WHERE aggregate_cid = ?",
  "SELECT base_cid FROM rounds WHERE base_cid = ?",
  "SELECT release_cid FROM seats WHERE release_cid = ?",
  "SELECT shares_cid FROM submissions WHERE shares_cid = ?",
].join(" UNION ALL ");

/**
 * The stores of nodes as one. A directory that the index names is fetched when it is first asked for; a stranger's CID
 * is not.
 * @param nodes may grow
 */
export function contentOf(
  nodes: readonly { readonly store: ContentStore }[],
  queries: Queries,
): Pick<ContentStore, "getLocalBlock" | "has" | "importCar"> {
  const held = async (cid: string): Promise<Uint8Array | undefined> => {
    for (const { store } of nodes) {
      const block = await store.getLocalBlock(cid);
      if (block !== undefined) return block;
    }
    return undefined;
  };
  return {
    getLocalBlock: async (cid) => {
      const block = await held(cid);
      const isNamed =
        block === undefined &&
        (
          await queries.all(
            NAMED,
            NAMED.match(/\?/g)!.map(() => cid),
          )
        ).length > 0;
      if (!isNamed) return block;
      for (const { store } of nodes) if (await fetched(store, cid)) return held(cid);
      return undefined;
    },
    has: async (cid) => {
      for (const { store } of nodes) if (await store.has(cid)) return true;
      return false;
    },
    importCar: () => Promise.reject(new Error("no upload is authorised")),
  };
}

async function fetched(store: ContentStore, cid: string): Promise<boolean> {
  try {
    await store.pin(cid);
    return true;
  } catch (error) {
    if (isVerisumError(error) && error.entry.about !== "host") return false;
    throw error;
  }
}
