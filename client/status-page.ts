/** Where a client says how it is, for whoever watches its machine. */
import type { FastifyInstance } from "fastify";
import { urlOf } from "../command/listen-address.ts";
import type { ListenAddress } from "../command/listen-address.ts";
import { createGateway } from "../content/gateway.ts";
import { LOOPBACK_HOSTS } from "../content/http-form.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { listenAt } from "../task/endpoint.ts";
import type { WritingNode } from "../task/node.ts";
import { addNodePages } from "../task/node-pages.ts";
import type { Vitals } from "../task/vitals.ts";

/**
 * @returns undefined if no address is given
 * @throws LISTEN_FAILED
 */
export async function statusPage(
  node: WritingNode,
  listen: ListenAddress | undefined,
  vitals: Pick<Vitals, "read">,
  reporter: Reporter,
): Promise<FastifyInstance | undefined> {
  if (listen === undefined) return undefined;
  const app = createGateway({
    // Published files alone are in it: models, and shares that only their members can read.
    store: node.store,
    authoriseUpload: async () => "a client takes no uploads",
    allowedHosts: [...LOOPBACK_HOSTS, new URL(urlOf(listen)).hostname],
    reporter: node.observer,
  });
  addNodePages(app, node, { role: "client" }, vitals);
  await listenAt(app, listen);
  reporter.say("good", "status", `state and figures at ${urlOf(listen)}/`, { url: urlOf(listen) });
  return app;
}
