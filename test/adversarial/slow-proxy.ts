/** A proxy before a gateway: what is given out, or taken in, passes as slowly as wanted; all else passes at once. */
import { createServer, request as ask } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";

/** Of the stores' DAGs; smaller parts of a message take as long. */
const BLOCK_BYTES = 262_144;
const CONTENT = { "given out": /^\/ipfs\b/, "taken in": /^\/v1\/car\b/ } as const;

export type Slowed = keyof typeof CONTENT;

export interface SlowProxy {
  readonly url: string;
  close(): void;
}

/** @param onSlowed is told of every message that takes its time */
export async function slowContent(
  upstream: string,
  secondsPerBlock: number,
  what: Slowed,
  onSlowed: () => void,
): Promise<SlowProxy> {
  const stopped = new AbortController();
  const slowly = async function* (message: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let passed = BLOCK_BYTES;
    for await (const bytes of message) {
      // The first bytes wait as well: no block is there sooner.
      for (; passed >= BLOCK_BYTES; passed -= BLOCK_BYTES)
        await delay(1000 * secondsPerBlock, undefined, { signal: stopped.signal });
      passed += bytes.length;
      yield bytes;
    }
  };
  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const isContent = CONTENT[what].test(incoming.url!) && incoming.method !== "HEAD";
    if (isContent) onSlowed();
    const target = new URL(incoming.url!, upstream);
    const headers = { ...incoming.headers, host: target.host };
    const onward = ask(target, { method: incoming.method, headers });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      onward.once("response", resolve);
      onward.once("error", reject);
    });
    outgoing.once("close", () => onward.destroy());
    const [answer] = await Promise.all([answered, pipeline(isContent ? slowly(incoming) : incoming, onward)]);
    outgoing.writeHead(answer.statusCode!, answer.headers);
    await pipeline(isContent ? slowly(answer) : answer, outgoing);
  };
  const server = createServer((incoming, outgoing) => {
    pass(incoming, outgoing).catch(() => outgoing.destroy()); // either side is gone: the other one sees that
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      stopped.abort();
      server.closeAllConnections();
      server.close();
    },
  };
}
