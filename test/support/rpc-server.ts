/** An HTTP JSON-RPC endpoint in front of an in-process chain, which can be told to misbehave. For tests only. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { NetworkConnection } from "hardhat/types/network";

interface RpcRequest {
  readonly id: number;
  readonly method: string;
  readonly params: unknown[];
}

/** What comes in place of an answer: another one, the end of the connection, or nothing at all. */
export type Misbehaviour = { readonly status: number; readonly body: string } | "reset" | "silence";

/** What to do with a request instead of passing it on; undefined passes it on. */
export type Fault = (request: RpcRequest) => Misbehaviour | undefined;

export interface RpcServer {
  readonly url: string;
  /** Methods asked for so far. */
  readonly asked: string[];
  /** HTTP requests so far: a batch is one. */
  readonly posts: number;
  fault: Fault | undefined;
  /** Changes a result on its way out. */
  alter: ((method: string, result: unknown) => unknown) | undefined;
  close(): Promise<void>;
}

export async function serveChain(connection: NetworkConnection): Promise<RpcServer> {
  const asked: string[] = [];
  let posts = 0;
  const state: Pick<RpcServer, "fault" | "alter"> = { fault: undefined, alter: undefined };
  const answer = async (request: RpcRequest): Promise<object> => {
    try {
      const result = await connection.provider.request({ method: request.method, params: request.params });
      return {
        jsonrpc: "2.0",
        id: request.id,
        result: state.alter === undefined ? result : state.alter(request.method, result),
      };
    } catch (error) {
      const { code = -32_000, message, data } = error as { code?: number; message: string; data?: unknown };
      return { jsonrpc: "2.0", id: request.id, error: { code, message, data } };
    }
  };
  const server = createServer((incoming, outgoing) => {
    const pieces: Buffer[] = [];
    incoming.on("data", (piece: Buffer) => pieces.push(piece));
    incoming.on("end", () => {
      const parsed = JSON.parse(Buffer.concat(pieces).toString("utf8")) as RpcRequest | RpcRequest[];
      const requests = Array.isArray(parsed) ? parsed : [parsed];
      posts += 1;
      asked.push(...requests.map(({ method }) => method));
      const fault = requests.map((request) => state.fault?.(request)).find((found) => found !== undefined);
      if (fault === "reset") {
        incoming.socket.resetAndDestroy();
        return;
      }
      if (fault === "silence") return;
      if (fault !== undefined) {
        outgoing.writeHead(fault.status, { "content-type": "application/json" }).end(fault.body);
        return;
      }
      void Promise.all(requests.map(answer)).then((answers) => {
        outgoing
          .writeHead(200, { "content-type": "application/json" })
          .end(JSON.stringify(Array.isArray(parsed) ? answers : answers[0]));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    get posts() {
      return posts;
    },
    get fault() {
      return state.fault;
    },
    set fault(value) {
      state.fault = value;
    },
    get alter() {
      return state.alter;
    },
    set alter(value) {
      state.alter = value;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
