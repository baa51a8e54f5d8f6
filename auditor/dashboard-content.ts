/** What a dashboard's gateway serves: what its nodes hold, and what the index names once somebody asks for it. */
import type { ContentStore } from "../content/store.ts";
import type { Queries } from "../indexer/database/database.ts";
import { isVerisumError } from "../protocol/errors.ts";

/** Columns of the index that hold CIDs of published directories, by table. */
const NAMED = [
  ["rounds", "model_cid"],
  ["rounds", "aggregate_cid"],
  ["rounds", "base_cid"],
  ["seats", "release_cid"],
  ["submissions", "shares_cid"],
] as const;
const IS_NAMED = NAMED.map(([table, column]) => `SELECT 1 AS one FROM ${table} WHERE ${column} = ?`).join(
  " UNION ALL ",
);

async function isNamed(queries: Queries, cid: string): Promise<boolean> {
  const values = NAMED.map(() => cid);
  return (await queries.all(IS_NAMED, values)).length > 0;
}

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
      if (block !== undefined || !(await isNamed(queries, cid))) return block;
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
