/** Which published files an audit is waiting for, and who should have them. */
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import type { PublishedFiles } from "../protocol/ports.ts";
import { AGGREGATE_FILE, SHARE_SUM_FILE } from "../task/outcome.ts";

export interface WantedFiles {
  /** The same store; what is asked of it is noted until it is there. */
  watching<Store extends PublishedFiles>(store: Store): Store;
  /** The files that are waited for now, in words; undefined if none is. */
  readonly describe: () => string | undefined;
}

/** More are counted. */
const MOST_NAMED = 4;

export function createWantedFiles(): WantedFiles {
  const wanted = new Map<symbol, string>();
  const getFrom = async (
    store: PublishedFiles,
    ...[cid, name, limits]: Parameters<PublishedFiles["getFile"]>
  ): Promise<Uint8Array> => {
    const key = Symbol(name);
    wanted.set(key, `${name} of ${cid}, which ${holdersOf(name)} should have`);
    try {
      return await store.getFile(cid, name, limits);
    } catch (error) {
      if (!isVerisumError(error, "IPFS_UNAVAILABLE")) throw error;
      const text = `nobody has ${wanted.get(key)!}: ${error.message}`;
      throw new VerisumError(error.code, text, error.details, { cause: error });
    } finally {
      wanted.delete(key);
    }
  };
  return {
    watching: (store) => ({ ...store, getFile: (...request) => getFrom(store, ...request) }),
    describe: () => {
      const all = [...new Set(wanted.values())];
      if (all.length === 0) return undefined;
      const others = all.length > MOST_NAMED ? `; and ${all.length - MOST_NAMED} more files` : "";
      return `${all.slice(0, MOST_NAMED).join("; ")}${others}`;
    },
  };
}

/** Nodes replicate what they publish: these have it first. */
function holdersOf(file: string): string {
  switch (file) {
    case SHARE_SUM_FILE:
      return "the member that released it";
    case AGGREGATE_FILE:
    case "config.json":
      return "the aggregator and the members that signed the round";
    case "state.bin":
      return "the operator's node, the aggregator and the members";
    default:
      return "the operator's node and the aggregator";
  }
}
