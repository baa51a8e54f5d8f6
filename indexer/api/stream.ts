/** Server-sent events: which tasks changed. Whoever hears of it asks for what it shows. */
import type { FastifyReply } from "fastify";
import { refusal } from "../../content/http-form.ts";
import type { Queries } from "../database/database.ts";
import { revisions } from "../queries.ts";

/** Streams that are open at once. */
const MOST_STREAMS = 256;
/** Between two looks into the database, which is done for all streams together, and only while there is one. */
const LOOK_MS = 500;
/** Silence after which proxies cut a connection, by far. */
const BEAT_MS = 10_000;

interface Stream {
  send(text: string): void;
  end(): void;
  /** What it was told, by task. */
  readonly told: Map<string, string>;
}

export interface Streams {
  /** Answers with a stream that begins with every task. */
  open(reply: FastifyReply): FastifyReply;
  close(): void;
}

export function createStreams(queries: Queries): Streams {
  const open = new Set<Stream>();
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;
  let silentMs = 0;

  const look = async (): Promise<void> => {
    isLooking = true;
    const rows = await revisions(queries).catch(() => []);
    silentMs += LOOK_MS;
    const beat = silentMs >= BEAT_MS;
    if (beat) silentMs = 0;
    for (const stream of open) {
      for (const { task, revision, trouble } of rows) {
        const state = `${revision} ${trouble}`;
        if (stream.told.get(task) === state) continue;
        stream.told.set(task, state);
        stream.send(`event: task\ndata: ${JSON.stringify({ task, revision })}\n\n`);
      }
      if (beat) stream.send(": still here\n\n");
    }
    isLooking = open.size > 0;
    if (isLooking) timer = setTimeout(() => void look(), LOOK_MS);
  };

  return {
    open: (reply) => {
      if (open.size >= MOST_STREAMS) throw refusal(503, "IPFS_BUSY", `${MOST_STREAMS} streams are open`);
      const { raw } = reply;
      reply.hijack();
      raw.writeHead(200, {
        ...Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)])),
        "content-type": "text/event-stream; charset=utf-8",
        "x-accel-buffering": "no",
      });
      const stream: Stream = { send: (text) => void raw.write(text), end: () => raw.end(), told: new Map() };
      raw.on("close", () => open.delete(stream));
      raw.write("retry: 2000\n\n");
      open.add(stream);
      if (!isLooking) void look();
      return reply;
    },
    close: () => {
      clearTimeout(timer);
      for (const stream of open) stream.end();
      open.clear();
    },
  };
}
