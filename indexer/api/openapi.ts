/** The API's description (OpenAPI 3.1), made of the same list as the routes themselves. */
import { z } from "zod";
import { VERSION } from "../../command/version.ts";
import { API_ROUTES } from "./routes.ts";
import type { ApiRoute } from "./routes.ts";

const ERROR = {
  type: "object",
  required: ["code", "message"],
  properties: { code: { type: "string" }, message: { type: "string" } },
};
const refused = (description: string): object => ({
  description,
  content: { "application/json": { schema: ERROR } },
});

export const STREAM_PATH = "/api/stream";
export const DOCUMENT_PATH = "/api/openapi.json";

export function openApiDocument(): object {
  return {
    openapi: "3.1.0",
    info: {
      title: "Verisum index",
      version: VERSION,
      description:
        "Tasks of federated learning, as the chain and IPFS tell them. Read only. What a server answers is as honest as the server: `fl verify` checks a task from the chain itself.",
    },
    paths: {
      ...Object.fromEntries(API_ROUTES.map((route) => [openPath(route.path), { get: operationOf(route) }])),
      [STREAM_PATH]: {
        get: {
          summary: "Server-sent events: `task`, with the task and its revision, whenever something changed",
          responses: {
            200: {
              description: "A stream without end",
              content: { "text/event-stream": { schema: { type: "string" } } },
            },
            503: refused("As many streams are open as may be"),
          },
        },
      },
    },
  };
}

function openPath(path: string): string {
  return path.replaceAll(/:([a-z]+)/g, "{$1}");
}

function operationOf({ path, summary, query, answer, csv }: ApiRoute): object {
  const inPath = [...path.matchAll(/:([a-z]+)/g)].map(([, name]) => name!);
  return {
    summary,
    parameters: Object.entries(query.shape).map(([name, schema]) => ({
      name,
      in: inPath.includes(name) ? "path" : "query",
      required: inPath.includes(name),
      ...(schema as z.ZodType).meta(),
      schema: z.toJSONSchema(schema as z.ZodType, { io: "input" }),
    })),
    responses: {
      200: {
        description: "Found",
        content: {
          "application/json": { schema: z.toJSONSchema(answer) },
          ...(csv === undefined ? {} : { "text/csv": { schema: { type: "string" } } }),
        },
      },
      400: refused("The query is malformed"),
      404: refused("There is no such task or round in the index"),
      429: refused("This address asks too often"),
    },
  };
}
