/** What a party's node answers to a GET, from the same routes as over a network and without its streams. */
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import type { FastifyInstance } from "fastify";

export interface Answer {
  readonly statusCode: number;
  readonly body: string;
}

/** Of nobody: no byte goes over it. */
const SOCKET = new Socket();

/** Gives away what a route answers, at once. */
class Reply extends ServerResponse {
  readonly #done: (answer: Answer) => void;

  constructor(request: IncomingMessage, done: (answer: Answer) => void) {
    super(request);
    this.#done = done;
  }

  override writeHead(statusCode: number): this {
    this.statusCode = statusCode;
    return this;
  }

  override end(body?: unknown): this {
    this.#done({ statusCode: this.statusCode, body: String(body ?? "") });
    return this;
  }
}

/** As `app.inject` has it, at a tenth of the cost. */
export function answerOf(app: FastifyInstance, pathname: string): Promise<Answer> {
  const request = new IncomingMessage(SOCKET);
  request.method = "GET";
  request.url = pathname;
  return new Promise((resolve) => {
    app.routing(request, new Reply(request, resolve));
  });
}
