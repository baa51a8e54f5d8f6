/** What a node says of itself: `/`, `/health`, `/ready`, `/status` and `/metrics`, from what its loop saw last. */
import type { FastifyInstance, FastifyReply } from "fastify";
import { cidFromDigest } from "../content/cid.ts";
import { escapeHtml } from "../content/escape-html.ts";
import { htmlPage, PAGE_CSP } from "../content/page.ts";
import { countTraffic } from "../content/traffic.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { WritingNode } from "./node.ts";
import { METRICS_MEDIA_TYPE, prometheusText, processFigures } from "./node-metrics.ts";
import { statusOf } from "./node-status.ts";
import type { NodeIdentity, NodeStatus } from "./node-status.ts";
import type { Vitals } from "./vitals.ts";

/**
 * Adds the pages to a node's gateway. None asks the chain: strangers may ask as often as the gateway lets them.
 *
 * - `GET|HEAD /` a page for people
 * - `GET|HEAD /health` 200 while the loop has looked at the chain lately, else 503 and why
 * - `GET|HEAD /ready` 200 once it plays its part besides, else 503
 * - `GET|HEAD /status` a `NodeStatus`
 * - `GET|HEAD /metrics` for Prometheus
 */
export function addNodePages(
  app: FastifyInstance,
  node: Pick<WritingNode, "chain" | "task">,
  identity: NodeIdentity,
  vitals: Pick<Vitals, "read">,
): void {
  const traffic = countTraffic(app);
  const status = (): NodeStatus => statusOf(node, identity, vitals);
  const page = (url: string, answer: (reply: FastifyReply) => unknown): void => {
    app.route({
      method: ["GET", "HEAD"],
      url,
      handler: async (_request, reply) => answer(reply.header("cache-control", "no-store")),
    });
  };
  page("/", (reply) => {
    const model = vitals.read().counters?.latestModel.cid;
    return reply
      .header("content-security-policy", PAGE_CSP)
      .type("text/html; charset=utf-8")
      .send(statusPage(status(), node.task.parameters.taskCid, model));
  });
  page("/health", (reply) => {
    const { healthy, trouble } = status();
    return reply.status(healthy ? 200 : 503).send({ healthy, ...(trouble === null ? {} : { trouble }) });
  });
  page("/ready", (reply) => {
    const { ready, trouble } = status();
    const reason = ready ? {} : { trouble: trouble ?? "it has not begun to play its part" };
    return reply.status(ready ? 200 : 503).send({ ready, ...reason });
  });
  page("/status", (reply) => reply.send(status()));
  page("/metrics", async (reply) =>
    reply.type(METRICS_MEDIA_TYPE).send(prometheusText(status(), vitals.read(), traffic(), await processFigures())),
  );
}

function statusPage(status: NodeStatus, taskCid: Hex, modelCid: Hex | undefined): string {
  const { role, seat, task, round, finalisedRounds, waitsFor, trouble, lookSecondsAgo } = status;
  const who = seat === undefined ? `Verisum ${role}` : `Verisum ${role}, seat ${seat}`;
  const rows: readonly (readonly [string, string])[] = [
    ["Task", task],
    ["Contract", status.contract],
    ["Chain", status.chainId],
    ["Account", status.account],
    ["Version", status.version],
    ["State", trouble ?? (status.ready ? "at work" : "starting")],
    [
      "Round",
      round === null
        ? "not known yet"
        : `${round.number}, ${round.phase}, ${round.submitted} of ${round.expected} submitted`,
    ],
    ["Finalised rounds", finalisedRounds === null ? "not known yet" : String(finalisedRounds)],
    ["Waits for", waitsFor === null ? "nothing" : `${waitsFor.text} (${Math.floor(waitsFor.seconds)} s)`],
    ["Looked at the chain", lookSecondsAgo === null ? "not yet" : `${lookSecondsAgo} s ago`],
  ];
  const table = rows.map(
    ([name, value]) => `<tr><th>${escapeHtml(name)}</th><td class="name">${escapeHtml(value)}</td></tr>`,
  );
  const content = [
    contentLink(taskCid, "The task's document"),
    ...(modelCid === undefined ? [] : [contentLink(modelCid, "The latest model")]),
  ];
  return htmlPage(
    `${who}: ${task}`,
    `<h1>${escapeHtml(who)}</h1>
<table><tbody>
${table.join("\n")}
</tbody></table>
<p>${content.join(" · ")}</p>
<p><a href="/status">Status</a> · <a href="/health">Health</a> · <a href="/ready">Readiness</a> · <a href="/metrics">Metrics</a></p>`,
  );
}

function contentLink(digest: Hex, text: string): string {
  return `<a href="/ipfs/${escapeHtml(cidFromDigest(digest))}/">${escapeHtml(text)}</a>`;
}
