/**
 * Who may hold how many connections, and for how long: by address, so that one stranger who opens many, or who sends
 * and reads next to nothing, keeps nobody else out.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
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
  /** By which its requests come: over TLS the secured one, once there is one. */
  socket: Socket;
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
export function partyOf(remoteAddress: string | undefined): string {
  if (remoteAddress === undefined || !ipaddr.isValid(remoteAddress)) return "unknown";
  const address = ipaddr.process(remoteAddress);
  if (address.kind() === "ipv4") return address.toString();
  return ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/64`).toString();
}

/**
 * Applies the limits to an app's server. A newcomer is let in at the cost of the connection that has been idle longest,
 * of its own party if that has as many as it may, else of the party that has most, which then gives up a busy one if it
 * has no idle one. A party that has as many as it may, all busy, gets no more.
 * @param clock monotonic milliseconds
 */
export function limitConnections(app: FastifyInstance, limits: ConnectionLimits, clock: () => number): void {
  const open = new Map<string, Connection>();
  app.server.on("connection", (socket: Socket) => {
    const party = partyOf(socket.remoteAddress);
    if (!makeRoom([...open.values()], party, limits)) return void socket.destroy();
    const [now, name] = [clock(), nameOf(socket)];
    const connection = { socket, party, request: undefined, idleSince: now, moved: 0, movedAt: now };
    open.set(name, connection);
    socket.once("close", () => {
      if (open.get(name) === connection) open.delete(name);
    });
  });
  // A connection counts from the start of its handshake.
  app.server.on("secureConnection", (socket: Socket) => {
    const connection = open.get(nameOf(socket));
    if (connection !== undefined) connection.socket = socket;
  });
  app.addHook("onRequest", (request, reply, done) => {
    const connection = open.get(nameOf(request.raw.socket));
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

/** The same for a connection and what is secured over it. */
function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
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
  if (own.length >= limits.maxConnectionsPerAddress) return closeOldest(own.filter(isIdle));
  if (open.length < limits.maxConnections) return true;
  const largest = largestParty(open);
  return closeOldest(largest.filter(isIdle)) || (largest.length > own.length + 1 && closeOldest(largest));
}

const isIdle = ({ request }: Connection): boolean => request === undefined;

/** Closes the one whose last request ended longest ago. */
function closeOldest(connections: readonly Connection[]): boolean {
  const [oldest] = [...connections].sort((a, b) => a.idleSince - b.idleSince);
  oldest?.socket.destroy();
  return oldest !== undefined;
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
