/** A party's node without a server: the routes' own code, handed what a server would hand it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

interface Answer {
  readonly statusCode: number;
  readonly body: string;
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;
type ErrorHandler = (error: unknown, request: FastifyRequest, reply: FastifyReply) => unknown;
type Method = "GET" | "POST";

interface Route {
  readonly method: Method;
  /** Of the path; one that begins with a colon takes any word. */
  readonly words: readonly string[];
  readonly handler: Handler;
}

/** What a route answers. */
class Reply {
  statusCode = 200;
  body = "";

  status(code: number): this {
    this.statusCode = code;
    return this;
  }

  header(): this {
    return this;
  }

  send(body: unknown): this {
    this.body = JSON.stringify(body);
    return this;
  }
}

/**
 * What the routes ask of a server. A server for each life of a role costs more than all that the role does in it;
 * limits of bytes and rates, which are the server's, are tried elsewhere.
 */
export class NodeRoutes {
  readonly #routes: Route[] = [];
  #onError: ErrorHandler = (error) => {
    throw error;
  };

  /** For what adds its routes to a server. */
  asServer(): FastifyInstance {
    return this as unknown as FastifyInstance;
  }

  get(path: string, ...rest: readonly unknown[]): void {
    this.#add("GET", path, rest);
  }

  post(path: string, ...rest: readonly unknown[]): void {
    this.#add("POST", path, rest);
  }

  /** A scope is the server itself; plugins count what comes over a network. */
  async register(scope: (server: FastifyInstance) => unknown, plugin?: object): Promise<void> {
    if (plugin === undefined) await scope(this.asServer());
  }

  setErrorHandler(handler: ErrorHandler): void {
    this.#onError = handler;
  }

  /** Bodies come as what they are. */
  hasContentTypeParser(): boolean {
    return true;
  }

  async answer(method: Method, path: string, body?: unknown): Promise<Answer> {
    const words = path.split("/");
    const found = this.#routes.find((route) => route.method === method && isAt(route, words));
    if (found === undefined) return { statusCode: 404, body: "" };
    const named = found.words.flatMap((word, i) => (word.startsWith(":") ? [[word.slice(1), words[i]]] : []));
    const request = { params: Object.fromEntries(named), body } as FastifyRequest;
    const reply = new Reply();
    const answer = reply as unknown as FastifyReply;
    try {
      await found.handler(request, answer);
    } catch (error) {
      await this.#onError(error, request, answer);
    }
    return reply;
  }

  #add(method: Method, path: string, rest: readonly unknown[]): void {
    this.#routes.push({ method, words: path.split("/"), handler: rest.at(-1) as Handler });
  }
}

function isAt({ words: own }: Route, words: readonly string[]): boolean {
  return own.length === words.length && own.every((word, i) => word.startsWith(":") || word === words[i]);
}

/** As `fetch` gives it, without a stream for each. */
export function responseOf({ statusCode, body }: Answer): Response {
  const parts = body === "" ? [] : [new TextEncoder().encode(body)];
  const cancel = async (): Promise<void> => undefined;
  const read = async (): Promise<{ readonly done: boolean; readonly value: Uint8Array | undefined }> => {
    const value = parts.shift();
    return { done: value === undefined, value };
  };
  const ok = statusCode >= 200 && statusCode < 300;
  return { ok, status: statusCode, body: { getReader: () => ({ read, cancel }), cancel } } as unknown as Response;
}
