/**
 * An HTTP JSON-RPC endpoint in front of a chain, in this process or another, which can be told to misbehave. For tests
 * only.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { NetworkConnection } from "hardhat/types/network";

export interface RpcRequest {
  readonly id: number;
  readonly method: string;
  readonly params: unknown[];
}

/** An answer to a request, or what is in its place. */
export interface RpcReply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** Answers requests that came together. */
export type Upstream = (requests: readonly RpcRequest[]) => Promise<readonly RpcReply[]>;

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
  alter: ((request: RpcRequest, result: unknown) => unknown) | undefined;
  close(): Promise<void>;
}

export function serveChain(connection: NetworkConnection): Promise<RpcServer> {
  const answer = async ({ id, method, params }: RpcRequest): Promise<RpcReply> => {
    try {
      return { id, result: await connection.provider.request({ method, params }) };
    } catch (error) {
      const { code = -32_000, message, data } = error as { code?: number; message: string; data?: unknown };
      return { id, error: { code, message, data } };
    }
  };
  return serveRpc((requests) => Promise.all(requests.map(answer)), eachFault);
}

/** The fault that spoils requests which came together, if one does. */
type Judge = (requests: readonly RpcRequest[], fault: Fault | undefined) => Misbehaviour | undefined;

/** Serves what `upstream` answers. @param judge whether a fault is asked about the requests after the one it spoils */
export async function serveRpc(upstream: Upstream, judge: Judge = firstFault): Promise<RpcServer> {
  const asked: string[] = [];
  let posts = 0;
  const state: Pick<RpcServer, "fault" | "alter"> = { fault: undefined, alter: undefined };
  const answers = async (requests: readonly RpcRequest[]): Promise<object[]> =>
    (await upstream(requests)).map((reply) => {
      const request = requests.find(({ id }) => id === reply.id);
      const altered = state.alter === undefined || request === undefined || !("result" in reply);
      return { jsonrpc: "2.0", ...reply, ...(altered ? {} : { result: state.alter!(request, reply.result) }) };
    });
  const server = createServer((incoming, outgoing) => {
    // As nodes do: pages of any origin may ask.
    outgoing.setHeader("access-control-allow-origin", "*").setHeader("access-control-allow-headers", "content-type");
    if (incoming.method === "OPTIONS") {
      outgoing.writeHead(204).end();
      return;
    }
    const pieces: Buffer[] = [];
    incoming.on("data", (piece: Buffer) => pieces.push(piece));
    incoming.on("end", () => {
      const parsed = JSON.parse(Buffer.concat(pieces).toString("utf8")) as RpcRequest | RpcRequest[];
      const requests = Array.isArray(parsed) ? parsed : [parsed];
      posts += 1;
      asked.push(...requests.map(({ method }) => method));
      const fault = judge(requests, state.fault);
      if (fault === "reset") {
        incoming.socket.resetAndDestroy();
        return;
      }
      if (fault === "silence") return;
      if (fault !== undefined) {
        outgoing.writeHead(fault.status, { "content-type": "application/json" }).end(fault.body);
        return;
      }
      const write = (replies: readonly object[]): void =>
        void outgoing
          .writeHead(200, { "content-type": "application/json" })
          .end(JSON.stringify(Array.isArray(parsed) ? replies : replies[0]));
      answers(requests).then(write, () => incoming.socket.destroy());
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

/** Every request is looked at: faults that count methods count all that were spoilt. */
function eachFault(requests: readonly RpcRequest[], fault: Fault | undefined): Misbehaviour | undefined {
  return requests.map((request) => fault?.(request)).find((found) => found !== undefined);
}

/** One fault spoils what came together: later requests are not looked at. */
function firstFault(requests: readonly RpcRequest[], fault: Fault | undefined): Misbehaviour | undefined {
  for (const request of requests) {
    const found = fault?.(request);
    if (found !== undefined) return found;
  }
  return undefined;
}
