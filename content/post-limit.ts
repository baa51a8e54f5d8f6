/** How often one address may post what costs a computation to refuse, such as the check of a signature. */
import rateLimitPlugin from "@fastify/rate-limit";
import type { RateLimitOptions } from "@fastify/rate-limit";
import type { FastifyInstance } from "fastify";
import { VerisumError } from "../protocol/errors.ts";
import { MAX_COHORT } from "../protocol/parameters.ts";

/** Posts of one address to a route in a window: all clients of the largest cohort may share it, and try four times. */
const MOST_POSTS = 4 * MAX_COHORT;
const WINDOW_MS = 60_000;
const JSON_MEDIA_TYPE = "application/json";
/** Addresses that are counted at a time; those that posted longest ago are forgotten. */
const MOST_ADDRESSES = 10_000;

const rateLimit: RateLimitOptions = {
  max: MOST_POSTS,
  timeWindow: WINDOW_MS,
  cache: MOST_ADDRESSES,
  errorResponseBuilder: () => new VerisumError("POSTS_TOO_MANY", "this address posts too often"),
};

/** The `config` of a limited route. */
export const LIMITED = { rateLimit };

/**
 * Adds routes some of which are {@link LIMITED}: an address, or a network of 2^64 addresses of IPv6, that posts too
 * often is refused before anything of its request is looked at, so that nobody's posts crowd out the others'.
 */
export function addLimitedRoutes(app: FastifyInstance, add: (scope: FastifyInstance) => void): void {
  app.register(async (scope) => {
    await scope.register(rateLimitPlugin, { global: false });
    add(scope);
  });
}

/** Has an app take JSON, which the gateway does not by itself. @param bodyLimit bytes; a route may allow more */
export function acceptJson(app: FastifyInstance, bodyLimit: number): void {
  if (app.hasContentTypeParser(JSON_MEDIA_TYPE)) return;
  app.addContentTypeParser(
    JSON_MEDIA_TYPE,
    { parseAs: "string", bodyLimit },
    app.getDefaultJsonParser("error", "error"),
  );
}
