/** A proxy before a gateway: what is given out, or taken in, passes as slowly as wanted; all else passes at once. */
import { setTimeout as delay } from "node:timers/promises";
import { proxyBefore } from "./node-proxy.ts";
import type { NodeProxy, Passage } from "./node-proxy.ts";

/** Of the stores' DAGs; smaller parts of a message take as long. */
const BLOCK_BYTES = 262_144;
const CONTENT = { "given out": /^\/ipfs\b/, "taken in": /^\/v1\/car\b/ } as const;

export type Slowed = keyof typeof CONTENT;

/** @param onSlowed is told of every message that takes its time */
export async function slowContent(
  upstream: string,
  secondsPerBlock: number,
  what: Slowed,
  onSlowed: () => void,
): Promise<NodeProxy> {
  const stopped = new AbortController();
  const slowly: Passage = async function* (message) {
    let passed = BLOCK_BYTES;
    for await (const bytes of message) {
      // The first bytes wait as well: no block is there sooner.
      for (; passed >= BLOCK_BYTES; passed -= BLOCK_BYTES)
        await delay(1000 * secondsPerBlock, undefined, { signal: stopped.signal });
      passed += bytes.length;
      yield bytes;
    }
  };
  const proxy = await proxyBefore(upstream, ({ url, method }) => {
    if (!CONTENT[what].test(url!) || method === "HEAD") return undefined;
    onSlowed();
    return slowly;
  });
  return {
    ...proxy,
    close: () => {
      stopped.abort();
      proxy.close();
    },
  };
}
