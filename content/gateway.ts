import fastify from "fastify";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from "fastify";
import { isVerisumError } from "../protocol/errors.ts";
import type { ErrorCode, VerisumError } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { CAR_MEDIA_TYPE, maxCarBytes } from "./car.ts";
import { parseDirectoryCid } from "./cid.ts";
import { limitConnections } from "./connection-limits.ts";
import type { ConnectionLimits } from "./connection-limits.ts";
import { DEFAULT_DAG_LIMITS } from "./dag.ts";
import type { DagLimits } from "./dag.ts";
import { ContentRoutes } from "./gateway-content.ts";
import { isAllowedHost, LOOPBACK_HOSTS, refusal } from "./http-form.ts";
import { describe } from "./peers.ts";
import { addLimitedRoutes, LIMITED } from "./post-limit.ts";
import { report } from "./report.ts";
import type { ContentStore } from "./store.ts";

export interface UploadRequest {
  /** The CID of the directory to be uploaded, canonical. */
  readonly root: string;
  /** The Authorization header as sent. */
  readonly authorization: string | undefined;
}

export interface GatewayLimits extends DagLimits, ConnectionLimits {
  /** Uploads held in memory at the same time, those of one sender, and the bytes and blocks that each may have. */
  readonly maxUploads: number;
  readonly maxUploadsPerSender: number;
  readonly maxUploadBytes: number;
  readonly maxUploadBlocks: number;
  /** Time a client has to send a whole request, body included. */
  readonly requestTimeoutMs: number;
  /** Time a connection may stay silent. */
  readonly idleTimeoutMs: number;
}

/** Uploads in progress at the same time unless told otherwise, and those of one sender. */
export const MAX_UPLOADS = 16;
export const MAX_UPLOADS_PER_SENDER = 2;

const DEFAULT_GATEWAY_LIMITS: GatewayLimits = {
  ...DEFAULT_DAG_LIMITS,
  maxBytes: 268_435_456,
  maxUploads: MAX_UPLOADS,
  maxUploadsPerSender: MAX_UPLOADS_PER_SENDER,
  maxUploadBytes: 16_777_216,
  maxUploadBlocks: DEFAULT_DAG_LIMITS.maxBlocks,
  maxConnections: 1024,
  maxConnectionsPerAddress: 128,
  leastBytesPerWindow: 10_240,
  progressWindowMs: 10_000,
  requestTimeoutMs: 600_000,
  idleTimeoutMs: 30_000,
};

/** What a gateway needs of a store. */
export type GatewayStore = Pick<ContentStore, "getLocalBlock" | "has" | "importCar">;

export interface GatewayOptions {
  readonly store: GatewayStore;
  /** Decides on an upload before its body is read: true, or why not. */
  readonly authoriseUpload: (request: UploadRequest) => Promise<boolean | string>;
  /** Which directories it takes, by the names of their files; any if absent. */
  readonly isTaken?: (names: readonly string[]) => boolean;
  /** Whose an authorised upload is: a sender may have few at a time. All are one sender's unless told. */
  readonly senderOf?: (request: UploadRequest) => string;
  /** Serves over TLS, with this certificate chain and its key (PEM). */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Names in the Host header that are answered. Loopback names unless told; "any" only for public binds. */
  readonly allowedHosts?: readonly string[] | "any";
  readonly limits?: Partial<GatewayLimits>;
  /** Told of failures, with their cause, and of refused uploads. Strangers cause them: see `limitedReporter`. */
  readonly reporter: Reporter;
}

/** The least of the gateway's routes is longer than any valid name in a DAG needs, encoded. */
const MAX_PARAMETER_CHARACTERS = 1024;
const MAX_HEADER_BYTES = 8192;
/** How often Node looks for requests past their time. */
const TIMEOUT_CHECK_MS = 1000;

/**
 * Builds the gateway; the caller listens and closes.
 *
 * - `GET|HEAD /ipfs/{cid}[/{name}]` blocks, CARs, files, listings
 *   (https://specs.ipfs.tech/http-gateways/trustless-gateway/ and path-gateway/)
 * - `POST /v1/car?root={cid}` takes a CAR: 201 stored, 200 held already; errors are `{ code, message }`
 * - `GET|HEAD /v1/dag/{cid}` says whether the complete directory is held here
 *
 * @example
 * const gateway = createGateway({ store, reporter, authoriseUpload: async () => "read only" });
 * await gateway.listen({ host: "127.0.0.1", port: 8080 });
 */
export function createGateway(options: GatewayOptions): FastifyInstance {
  const limits = { ...DEFAULT_GATEWAY_LIMITS, ...options.limits };
  const uploadLimits = {
    ...limits,
    maxBytes: Math.min(limits.maxBytes, limits.maxUploadBytes),
    maxBlocks: Math.min(limits.maxBlocks, limits.maxUploadBlocks),
  };
  const { reporter } = options;
  const allowedHosts = options.allowedHosts ?? LOOPBACK_HOSTS;
  const onError = (error: unknown, request: FastifyRequest, reply: FastifyReply): void =>
    answerError(error, request, reply, reporter);
  const app: FastifyInstance = fastify({
    bodyLimit: maxCarBytes(uploadLimits),
    requestTimeout: limits.requestTimeoutMs,
    connectionTimeout: limits.idleTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    routerOptions: { maxParamLength: MAX_PARAMETER_CHARACTERS },
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: limits.idleTimeoutMs,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    },
    frameworkErrors: onError,
    // Over TLS or not, an app is the same to its users; Fastify's types tell the two apart.
    ...(options.tls === undefined ? {} : { https: { ...options.tls, handshakeTimeout: limits.idleTimeoutMs } }),
  });
  limitConnections(app, limits, () => performance.now());
  app.setErrorHandler(onError);
  app.setNotFoundHandler((request, reply) => {
    onError(refusal(404, "REQUEST_INVALID", "there is no such route"), request, reply);
  });
  app.addHook("onRequest", async (request, reply) => {
    void reply.headers(SECURITY_HEADERS);
    if (!isAllowedHost(request.headers.host, allowedHosts)) {
      throw refusal(403, "HOST_REFUSED", "the gateway does not answer under this host name");
    }
  });
  const content = new ContentRoutes(options.store, limits, reporter);
  for (const url of ["/ipfs/:cid", "/ipfs/:cid/*"]) {
    const onRequest = async (_request: FastifyRequest, reply: FastifyReply): Promise<void> =>
      void reply.headers(OPEN_TO_BROWSERS);
    app.route({ method: ["GET", "HEAD"], url, onRequest, handler: (request, reply) => content.answer(request, reply) });
    app.route({ method: "OPTIONS", url, onRequest, handler: (_request, reply) => reply.status(204).send() });
  }
  app.route({
    method: ["GET", "HEAD"],
    url: "/v1/dag/:cid",
    handler: async (request, reply) => {
      const { cid } = request.params as { cid: string };
      if (!(await options.store.has(cid)))
        throw refusal(404, "IPFS_NOT_FOUND", "the complete directory is not held here");
      return reply.header("cache-control", "no-store").send({ cid, complete: true });
    },
  });
  addUploads(app, options, uploadLimits);
  return app;
}

/** On every answer; routes that need another policy replace it. */
const SECURITY_HEADERS = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
} as const;

/** What is published may be read by pages of any origin (https://specs.ipfs.tech/http-gateways/path-gateway/). */
const OPEN_TO_BROWSERS = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, HEAD, OPTIONS",
  "access-control-allow-headers": "Content-Type, Range, User-Agent, X-Requested-With, If-None-Match, Cache-Control",
  "access-control-expose-headers":
    "Content-Length, Content-Range, ETag, X-Chunked-Output, X-Ipfs-Path, X-Ipfs-Roots, X-Stream-Output",
  "cross-origin-resource-policy": "cross-origin",
} as const;

function addUploads(
  app: FastifyInstance,
  { store, authoriseUpload, isTaken, senderOf = () => "" }: GatewayOptions,
  limits: GatewayLimits,
): void {
  /** In progress, by sender. */
  const uploads = new Map<string, number>();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(CAR_MEDIA_TYPE, { parseAs: "buffer" }, (_request, body, done) => {
    done(null, body);
  });
  const route: Pick<RouteOptions, "preParsing" | "handler"> = {
    // Runs before the body is read: strangers cannot make the gateway hold their bytes.
    preParsing: async (request, reply) => {
      if (request.headers.origin !== undefined) {
        throw refusal(403, "HOST_REFUSED", "uploads from web pages are not accepted");
      }
      const root = uploadRoot(request);
      const { authorization } = request.headers;
      const decision = await authoriseUpload({ root, authorization });
      if (decision !== true) {
        const reason = decision === false ? "the upload is not authorised" : decision;
        throw refusal(authorization === undefined ? 401 : 403, "IPFS_UPLOAD_REFUSED", reason);
      }
      const sender = senderOf({ root, authorization });
      if (reply.raw.destroyed) return; // gone while it was decided
      const own = uploads.get(sender) ?? 0;
      const all = [...uploads.values()].reduce((sum, count) => sum + count, 0);
      if (all >= limits.maxUploads || own >= limits.maxUploadsPerSender) {
        void reply.header("retry-after", "5");
        if (own >= limits.maxUploadsPerSender)
          throw refusal(429, "IPFS_BUSY", `${own} of your uploads are in progress`);
        throw refusal(503, "IPFS_BUSY", `${limits.maxUploads} uploads are in progress`);
      }
      uploads.set(sender, own + 1);
      reply.raw.once("close", () => {
        const left = uploads.get(sender)! - 1;
        if (left === 0) uploads.delete(sender);
        else uploads.set(sender, left);
      });
    },
    handler: async (request, reply) => {
      const root = uploadRoot(request);
      if (!(request.body instanceof Uint8Array))
        throw refusal(415, "REQUEST_INVALID", `the body must be ${CAR_MEDIA_TYPE}`);
      const held = await store.has(root);
      await store.importCar(request.body, root, limits, isTaken);
      return reply.status(held ? 200 : 201).send({ cid: root });
    },
  };
  addLimitedRoutes(app, (scope) => void scope.route({ ...route, method: "POST", url: UPLOAD_ROUTE, config: LIMITED }));
}

function uploadRoot(request: FastifyRequest): string {
  const { root } = request.query as Record<string, unknown>;
  if (typeof root !== "string") throw refusal(400, "REQUEST_INVALID", "the query must name exactly one root");
  return parseDirectoryCid(root).toString();
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, reporter: Reporter): void {
  const { status, code, message } = explain(error);
  if (status === 500) reportFailure(reporter, request, error);
  else if (routeOf(request) === UPLOAD_ROUTE) reportRefusal(reporter, request, { status, code, message });
  void reply
    .headers(routeOf(request).startsWith("/ipfs/") ? { ...SECURITY_HEADERS, ...OPEN_TO_BROWSERS } : SECURITY_HEADERS)
    .header("cache-control", "no-store")
    .removeHeader("etag")
    .removeHeader("content-disposition")
    .removeHeader("content-length")
    .status(status)
    .header("content-type", "application/json; charset=utf-8")
    .send(JSON.stringify({ code, message }));
}

const UPLOAD_ROUTE = "/v1/car";

function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? "no route";
}

function reportFailure(reporter: Reporter, request: FastifyRequest, error: unknown): void {
  const { method, url, ip } = request;
  const reason = describe(error);
  const text = `the gateway failed at ${method} ${url}: ${reason}; ${ip} was told 500 and no more`;
  report(reporter, "error", "gateway-failed", text, { subject: routeOf(request), method, url, reason });
}

/** The sender's authorisation stays out of it. */
function reportRefusal(
  reporter: Reporter,
  { ip, query }: FastifyRequest,
  { status, code, message }: { readonly status: number; readonly code: ErrorCode; readonly message: string },
): void {
  const root = String((query as Record<string, unknown>)["root"]);
  const text = `an upload of ${root} from ${ip} was refused: ${code}: ${message}; nothing of it is kept`;
  report(reporter, "warn", "upload-refused", text, { subject: ip, root, code, status, reason: message });
}

function explain(error: unknown): { status: number; code: ErrorCode; message: string } {
  const failed = { status: 500, code: "NODE_FAILED", message: "the node failed; its log says why" } as const;
  if (isVerisumError(error)) {
    const status = statusOf(error);
    return status === undefined ? failed : { status, code: error.code, message: error.message };
  }
  const { statusCode = 500, message } = error as Partial<FastifyError>;
  if (statusCode === 413) return { status: 413, code: "REQUEST_INVALID", message: "the body is too long" };
  if (statusCode >= 400 && statusCode < 500) {
    return { status: statusCode, code: "REQUEST_INVALID", message: message ?? "the request is malformed" };
  }
  return failed;
}

/** Its own status, or its code's; undefined if strangers are not told, since it may name endpoints or paths. */
function statusOf({ details: { status }, entry }: VerisumError): number | undefined {
  return typeof status === "number" ? status : entry.http;
}
