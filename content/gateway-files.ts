/** Published files from gateways alone, verified block by block; nothing is kept. Runs in a browser. */
import type { PublishedFiles } from "../protocol/ports.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { parseDirectoryCid } from "./cid.ts";
import { DEFAULT_DAG_LIMITS } from "./dag.ts";
import { withDeadline } from "./deadline.ts";
import { readDirectoryFile } from "./directory.ts";
import { fetchBlock } from "./peers.ts";
import type { Fetch } from "./peers.ts";

export interface GatewayFilesOptions {
  /** Base URLs; the first that delivers a block is believed no more than the last: blocks are hashed. */
  readonly gateways: readonly string[];
  readonly fetch: Fetch;
  readonly reporter: Reporter;
}

/** Time that a file, a block, and a silence in a block may take. */
const FILE_MS = 120_000;
const BLOCK_MS = 30_000;
const SILENCE_MS = 10_000;

export function filesFrom({ gateways, fetch, reporter }: GatewayFilesOptions): PublishedFiles {
  return {
    getFile: (cid, name, { maxBytes }) =>
      withDeadline(FILE_MS, undefined, (signal) =>
        readDirectoryFile(
          parseDirectoryCid(cid),
          name,
          (block) =>
            fetchBlock(block, {
              peers: gateways,
              fetch,
              blockTimeoutMs: BLOCK_MS,
              blockPatienceMs: SILENCE_MS,
              signal,
              reporter,
            }),
          { ...DEFAULT_DAG_LIMITS, maxBytes },
        ),
      ),
  };
}
