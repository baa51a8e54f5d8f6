/** What an app's clients asked for and how much of it went through: counted as it happens. */
import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";

export interface Traffic {
  /** Answers, by the route's pattern, its method and the status. */
  readonly answers: readonly {
    readonly route: string;
    readonly method: string;
    readonly status: number;
    readonly count: number;
  }[];
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

/** Counts from now on. Bytes are those of the connections, heads included, and are added when an answer ends. */
export function countTraffic(app: FastifyInstance): () => Traffic {
  const counts = new Map<string, number>();
  const seen = new WeakMap<Socket, { received: number; sent: number }>();
  let bytesReceived = 0;
  let bytesSent = 0;
  app.addHook("onRequest", (request, reply, done) => {
    const { socket } = request.raw;
    reply.raw.once("close", () => {
      const key = JSON.stringify([request.routeOptions.url ?? "", request.method, reply.raw.statusCode]);
      counts.set(key, (counts.get(key) ?? 0) + 1);
      const before = seen.get(socket) ?? { received: 0, sent: 0 };
      bytesReceived += socket.bytesRead - before.received;
      bytesSent += socket.bytesWritten - before.sent;
      seen.set(socket, { received: socket.bytesRead, sent: socket.bytesWritten });
    });
    done();
  });
  return () => ({
    answers: [...counts].map(([key, count]) => {
      const [route, method, status] = JSON.parse(key) as [string, string, number];
      return { route, method, status, count };
    }),
    bytesReceived,
    bytesSent,
  });
}
