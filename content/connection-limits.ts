/**
 * Who may hold how many connections, and for how long: by address, so that one stranger who opens many, or who sends
 * and reads next to nothing, keeps nobody else out.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Server as TlsServer } from "node:tls";
import type { FastifyInstance } from "fastify";
import ipaddr from "ipaddr.js";

export interface ConnectionLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** A request's body, or its answer, that moves fewer bytes than this in a window is cut. */
  readonly leastBytesPerWindow: number;
  readonly progressWindowMs: number;
}

interface Connection {
  readonly socket: Socket;
  readonly party: string;
  /** The request that is being read or answered. */
  request: IncomingMessage | undefined;
  /** When its last request ended, or it was opened. */
  idleSince: number;
  /** Bytes that had moved when it was last seen to get on, and when that was. */
  moved: number;
  movedAt: number;
}

const LOOK_MS = 250;

/** An address, or a network of 2^64 addresses of IPv6: what one party has of those. */
function partyOf(remoteAddress: string | undefined): string {
  if (remoteAddress === undefined || !ipaddr.isValid(remoteAddress)) return "unknown";
  const address = ipaddr.process(remoteAddress);
  if (address.kind() === "ipv4") return address.toString();
  return ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/64`).toString();
}

/**
 * Applies the limits to an app's server. A newcomer is let in at the cost of the connection that has been idle longest,
 * of its own party if that has as many as it may, else of the party that has most. Where none is idle it is refused.
 * @param clock monotonic milliseconds
 */
export function limitConnections(app: FastifyInstance, limits: ConnectionLimits, clock: () => number): void {
  const open = new Map<Socket, Connection>();
  // Over TLS a connection counts once it is secured; until then its handshake has a time limit of its own.
  app.server.on(app.server instanceof TlsServer ? "secureConnection" : "connection", (socket: Socket) => {
    const party = partyOf(socket.remoteAddress);
    if (!makeRoom([...open.values()], party, limits)) return void socket.destroy();
    const now = clock();
    open.set(socket, { socket, party, request: undefined, idleSince: now, moved: 0, movedAt: now });
    socket.once("close", () => open.delete(socket));
  });
  app.addHook("onRequest", (request, reply, done) => {
    const connection = open.get(request.raw.socket);
    if (connection !== undefined) follow(connection, request.raw, reply.raw, clock);
    done();
  });
  const timer = setInterval(() => {
    for (const connection of open.values()) if (isStuck(connection, limits, clock())) connection.socket.destroy();
  }, LOOK_MS);
  timer.unref();
  app.addHook("onClose", (_app, done) => {
    clearInterval(timer);
    done();
  });
}

function follow(connection: Connection, request: IncomingMessage, response: ServerResponse, clock: () => number): void {
  connection.request = request;
  connection.movedAt = clock();
  response.once("close", () => {
    if (connection.request !== request) return;
    connection.request = undefined;
    connection.idleSince = clock();
  });
}

/** Closes what has to give way. False if nothing can. */
function makeRoom(open: readonly Connection[], party: string, limits: ConnectionLimits): boolean {
  const own = open.filter((connection) => connection.party === party);
  if (own.length >= limits.maxConnectionsPerAddress) return closeIdlest(own);
  return open.length < limits.maxConnections || closeIdlest(largestParty(open));
}

function closeIdlest(connections: readonly Connection[]): boolean {
  const idle = connections.filter(({ request }) => request === undefined);
  const [idlest] = idle.sort((a, b) => a.idleSince - b.idleSince);
  idlest?.socket.destroy();
  return idlest !== undefined;
}

function largestParty(open: readonly Connection[]): readonly Connection[] {
  const counts = new Map<string, number>();
  for (const { party } of open) counts.set(party, (counts.get(party) ?? 0) + 1);
  const [largest] = [...counts].sort(([, a], [, b]) => b - a);
  return open.filter(({ party }) => party === largest?.[0]);
}

/** True if its client sends or takes too little. A server that works on its answer is not the client's fault. */
function isStuck(connection: Connection, limits: ConnectionLimits, now: number): boolean {
  const { socket, request } = connection;
  const isClientsTurn = request !== undefined && (!request.complete || socket.writableLength > 0);
  const moved = socket.bytesRead + socket.bytesWritten - socket.writableLength;
  if (!isClientsTurn || moved - connection.moved >= limits.leastBytesPerWindow) {
    connection.moved = moved;
    connection.movedAt = now;
  }
  return now - connection.movedAt > limits.progressWindowMs;
}
