/** A proxy before a node: some messages pass through a stream of the test's, all others as they are. */
import { createServer, request as ask } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";

export interface NodeProxy {
  readonly url: string;
  close(): void;
}

/** What becomes of a request's body, and of its answer's. */
export type Passage = (message: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/** @param passageOf undefined for a request that passes as it is, with its answer */
export async function proxyBefore(
  upstream: string,
  passageOf: (request: IncomingMessage) => Passage | undefined,
): Promise<NodeProxy> {
  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const through = passageOf(incoming) ?? ((message) => message);
    const target = new URL(incoming.url!, upstream);
    const headers = { ...incoming.headers, host: target.host };
    const onward = ask(target, { method: incoming.method, headers });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      onward.once("response", resolve);
      onward.once("error", reject);
    });
    outgoing.once("close", () => onward.destroy());
    const [answer] = await Promise.all([answered, pipeline(through(incoming), onward)]);
    outgoing.writeHead(answer.statusCode!, answer.headers);
    await pipeline(through(answer), outgoing);
  };
  const server = createServer((incoming, outgoing) => {
    pass(incoming, outgoing).catch(() => outgoing.destroy()); // either side is gone: the other one sees that
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
