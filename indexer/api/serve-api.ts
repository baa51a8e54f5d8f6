/** The API over HTTP, on a gateway: read only, bounded, limited by address. */
import rateLimitPlugin from "@fastify/rate-limit";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { refusal } from "../../content/http-form.ts";
import { VerisumError } from "../../protocol/errors.ts";
import type { Database } from "../database/database.ts";
import { csvOf } from "./csv.ts";
import { DOCUMENT_PATH, openApiDocument, STREAM_PATH } from "./openapi.ts";
import { API_ROUTES } from "./routes.ts";
import type { ApiRoute } from "./routes.ts";
import { createStreams } from "./stream.ts";

export interface ApiOptions {
  readonly database: Database;
  /** Unix seconds. */
  readonly now: () => number;
  /** Requests that an address may make in a minute; 600 unless told. */
  readonly mostAMinute?: number;
}

const MOST_A_MINUTE = 600;
/** Addresses that are counted at a time. */
const MOST_ADDRESSES = 10_000;

/**
 * Adds the routes of `API_ROUTES`, their description and the stream of changes to a gateway, which checks the host and
 * bounds connections.
 */
export function addApi(app: FastifyInstance, { database, now, mostAMinute = MOST_A_MINUTE }: ApiOptions): void {
  app.register(async (scope) => {
    await scope.register(rateLimitPlugin, {
      max: mostAMinute,
      timeWindow: 60_000,
      cache: MOST_ADDRESSES,
      errorResponseBuilder: () => new VerisumError("POSTS_TOO_MANY", "this address asks too often"),
    });
    const get = (url: string, handler: (request: FastifyRequest, reply: FastifyReply) => unknown): void => {
      scope.route({
        method: "GET",
        url,
        handler: async (request, reply) => {
          refuseOtherOrigins(request);
          return handler(request, reply.header("cache-control", "no-store"));
        },
      });
    };
    for (const route of API_ROUTES)
      get(route.path, (request, reply) => answer(route, { queries: database, now: now() }, request, reply));
    const document = openApiDocument();
    get(DOCUMENT_PATH, () => document);
    const streams = createStreams(database);
    scope.addHook("preClose", async () => streams.close());
    get(STREAM_PATH, (_request, reply) => streams.open(reply));
  });
}

/** Pages of other origins learn nothing here, not even that somebody runs it. */
function refuseOtherOrigins({ headers: { origin, host } }: FastifyRequest): void {
  if (origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host))
    throw refusal(403, "HOST_REFUSED", "pages of another origin are not answered");
}

async function answer(
  { query, csv, find }: ApiRoute,
  asked: { readonly queries: Database; readonly now: number },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const given = { ...(request.query as object), ...(request.params as object) };
  const parsed = query.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refusal(400, "REQUEST_INVALID", `${issue?.path.join(".") ?? "the query"}: ${issue?.message ?? "malformed"}`);
  }
  const found = await find({ ...asked, query: parsed.data as never });
  if (found === undefined) throw refusal(404, "REQUEST_INVALID", "there is no such task or round in the index");
  if (csv === undefined || parsed.data["format"] !== "csv") return found;
  const rows = (found as Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>)[csv.key]!;
  return reply
    .type("text/csv; charset=utf-8")
    .header("content-disposition", `attachment; filename="${csv.key}.csv"`)
    .send(csvOf(Object.keys(csv.row.shape), rows));
}
