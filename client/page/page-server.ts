/** The participant's page over HTTP, for the windows that its guard admits and nobody else. */
import type { Readable } from "node:stream";
import fastify from "fastify";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { addBundledPage } from "../../auditor/bundled-pages.ts";
import { refusal } from "../../content/http-form.ts";
import { addressFault } from "../../protocol/address.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import type { Reporter } from "../../protocol/reporter.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { COOKIE, createGuard, isSameOrigin } from "./guard.ts";
import type { Guard } from "./guard.ts";
import { failureIn } from "./run.ts";
import type { Session } from "./session.ts";

/** Everything but data, which is streamed. */
const MAX_BODY_BYTES = 1 << 20;
/** How long a question for news stays open. */
const PATIENCE_MS = 20_000;
const MOST_TEXT = 100_000;

const text = z.string().max(MOST_TEXT);
const password = z.strictObject({ password: text });
const urls = z.array(z.url({ protocol: /^https?$/ }).max(2048)).max(16);
const taskBody = z.strictObject({
  contract: z.string().superRefine((value, context) => {
    const message = addressFault(value);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  }),
  rpc: urls.min(1),
  peers: urls,
  chainId: z
    .string()
    .regex(/^[1-9][0-9]{0,19}$/)
    .nullable(),
});

export interface PageServerOptions {
  readonly session: Session;
  readonly random: RandomBytes;
  readonly reporter: Reporter;
  /** Where it will listen. */
  readonly origin: () => string;
  /** The chain that an endpoint serves, asked where nobody named it. @throws CHAIN_UNREACHABLE */
  readonly chainIdAt: (rpc: readonly string[]) => Promise<bigint>;
  /** Told that a code was used, and what the next one is. */
  readonly onOpened: () => void;
}

/** The caller listens, on loopback only, and closes. */
export async function createPageServer(
  options: PageServerOptions,
): Promise<{ readonly app: FastifyInstance; readonly guard: Guard }> {
  const { session, random, origin, onOpened } = options;
  const guard = createGuard(origin, random);
  const app = fastify({ bodyLimit: MAX_BODY_BYTES, exposeHeadRoutes: false, forceCloseConnections: true });
  app.setErrorHandler((error: FastifyError, _request, reply) => answerError(error, reply));
  app.setNotFoundHandler((_request, reply) =>
    answerError(refusal(404, "REQUEST_INVALID", "there is no such route"), reply),
  );
  app.addHook("onRequest", async (request, reply) => {
    void reply.headers({ "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" });
    if (`http://${request.headers.host}` !== origin())
      throw refusal(403, "HOST_REFUSED", "the page does not answer under this host name");
    // The route that will answer, not the URL: the router reads `/%61pi/` and `http://host/api/` as `/api/`, too.
    const route = request.routeOptions.url;
    if (!route?.startsWith("/api/")) return;
    void reply.header("cache-control", "no-store");
    const isOpening = route === "/api/open";
    if (isOpening ? !isSameOrigin(request.headers, origin()) : !guard.admits(request.headers))
      throw refusal(401, "HOST_REFUSED", "only a window that was opened by the address in the terminal is answered");
  });
  // Data goes to the disk as it comes; nothing is parsed.
  app.addContentTypeParser("application/octet-stream", (_request, payload, done) => done(null, payload));
  await addBundledPage(app, "participate.html", ["/"]);
  app.post("/api/open", async ({ body }, reply) => {
    const { code } = parsed(z.strictObject({ code: text }), body);
    const opened = guard.redeem(code);
    if (opened === undefined)
      throw refusal(401, "HOST_REFUSED", "this address was used before: the terminal shows another one");
    onOpened();
    return reply
      .header("set-cookie", `${COOKIE}=${opened.cookie}; HttpOnly; SameSite=Strict; Path=/api/`)
      .send({ key: opened.key });
  });
  addSessionRoutes(app, options);
  app.addHook("preClose", () => session.close());
  return { app, guard };
}

function addSessionRoutes(app: FastifyInstance, { session, chainIdAt }: PageServerOptions): void {
  app.get("/api/state", async ({ query }) => {
    const { after } = parsed(z.object({ after: z.coerce.number().int().optional() }), query);
    if (after !== undefined) await session.changed(after, PATIENCE_MS);
    return session.state();
  });
  const post = <T>(
    url: string,
    schema: z.ZodType<T>,
    act: (body: T, request: FastifyRequest) => Promise<void>,
  ): void => {
    app.post(url, async (request) => {
      await act(parsed(schema, request.body ?? {}), request);
      return session.state();
    });
  };
  post("/api/account/make", password, ({ password: given }) => session.makeAccount(given));
  post("/api/account/import", password.extend({ secret: text }), ({ secret, password: given }) =>
    session.importAccount(secret, given),
  );
  post("/api/account/open", password, ({ password: given }) => session.openAccount(given));
  post("/api/task", taskBody, async ({ contract, rpc, peers, chainId }) =>
    session.chooseTask({
      contract: contract.toLowerCase() as Hex,
      chainId: chainId === null ? await chainIdAt(rpc) : BigInt(chainId),
      ...{ rpc, peers },
    }),
  );
  post("/api/task/invited", z.strictObject({ invitation: text }), ({ invitation }) =>
    session.chooseInvited(invitation),
  );
  post(
    "/api/data",
    z.custom<Readable>((body) => typeof body === "object" && body !== null && "pipe" in body),
    (body, { query }) => session.keepData(parsed(z.object({ name: z.string().min(1).max(255) }), query).name, body),
  );
  post("/api/data/path", z.strictObject({ path: text }), ({ path }) => session.connectPath(path));
  post("/api/data/label", z.strictObject({ label: text.nullable(), classes: text.nullable() }), ({ label, classes }) =>
    session.pickLabel(label, classes),
  );
  const nothing = z.strictObject({});
  post("/api/start", nothing, () => session.start());
  post("/api/pause", nothing, () => session.pause());
  post("/api/leave", nothing, () => session.leave());
}

/** @throws REQUEST_INVALID that names the first problem, and no value: it may be a secret */
function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw refusal(400, "REQUEST_INVALID", `${issue?.path.join(".") || "the request"}: ${issue?.message ?? "malformed"}`);
}

function answerError(error: unknown, reply: FastifyReply): FastifyReply {
  const status = (error as { readonly statusCode?: unknown }).statusCode;
  if (!isVerisumError(error) && typeof status === "number" && status < 500)
    return reply.status(status).send({ code: "REQUEST_INVALID", message: (error as Error).message, advice: "" });
  const own = isVerisumError(error) ? error.details["status"] : undefined;
  return reply.status(typeof own === "number" ? own : 422).send(failureIn(error));
}
