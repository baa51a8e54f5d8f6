/** What an index says of itself: `/health`, `/ready` and `/metrics`. */
import type { FastifyInstance, FastifyReply } from "fastify";
import { countTraffic } from "../../content/traffic.ts";
import { metric, METRICS_MEDIA_TYPE, processFigures, processText, trafficText } from "../../task/node-metrics.ts";
import type { Sample } from "../../task/node-metrics.ts";
import type { Queries } from "../database/database.ts";
import { listTasks } from "../queries.ts";
import type { TaskList } from "./schema.ts";

export interface IndexPagesOptions {
  readonly database: Queries;
  /** Unix seconds. */
  readonly now: () => number;
  /** Tasks that this process is to keep. */
  readonly tasks: number;
}

/** A task that was not looked at for so long is stale. */
const STALE_SECONDS = 60;

type Task = TaskList["tasks"][number];

/** Adds the pages to a gateway. They ask the database alone. */
export function addIndexPages(app: FastifyInstance, { database, now, tasks }: IndexPagesOptions): void {
  const traffic = countTraffic(app);
  const page = (url: string, answer: (found: readonly Task[], reply: FastifyReply) => unknown): void => {
    app.route({
      method: ["GET", "HEAD"],
      url,
      handler: async (_request, reply) =>
        answer((await listTasks(database, now())).tasks, reply.header("cache-control", "no-store")),
    });
  };
  const troubleOf = ({ task, trouble, checkedSecondsAgo }: Task): readonly string[] => {
    if (trouble !== null) return [`${task}: ${trouble}`];
    return checkedSecondsAgo === null || checkedSecondsAgo < STALE_SECONDS
      ? []
      : [`${task}: not looked at for ${checkedSecondsAgo} s`];
  };
  page("/health", (found, reply) => {
    const trouble = found.flatMap(troubleOf);
    return reply.status(trouble.length === 0 ? 200 : 503).send({ healthy: trouble.length === 0, trouble });
  });
  page("/ready", (found, reply) => {
    const ready = found.filter(({ snapshot }) => snapshot !== null).length;
    const isReady = ready >= tasks;
    return reply.status(isReady ? 200 : 503).send({ ready: isReady, tasks, readyTasks: ready });
  });
  page("/metrics", async (found, reply) => {
    const samples = (value: (task: Task) => number | null | undefined): readonly Sample[] =>
      found.flatMap((task): Sample[] => {
        const number = value(task);
        return number === null || number === undefined ? [] : [[{ task: task.task }, number]];
      });
    return reply.type(METRICS_MEDIA_TYPE).send(
      [
        metric(
          "verisum_index_block",
          "gauge",
          "Up to which the index goes.",
          samples((task) => task.block),
        ),
        metric(
          "verisum_index_age_seconds",
          "gauge",
          "Since the last look.",
          samples((task) => task.checkedSecondsAgo),
        ),
        metric(
          "verisum_index_healthy",
          "gauge",
          "1 if that look succeeded.",
          samples((task) => Number(task.trouble === null)),
        ),
        metric(
          "verisum_round",
          "gauge",
          "The current round.",
          samples(({ snapshot }) => snapshot?.round.number),
        ),
        metric(
          "verisum_rounds_finalised_total",
          "counter",
          "Rounds that the contract finalised.",
          samples(({ snapshot }) => snapshot?.finalisedRounds),
        ),
        metric(
          "verisum_claimed_accuracy",
          "gauge",
          "Of the latest model, as the aggregator says.",
          samples((task) => task.accuracy),
        ),
        trafficText(traffic()),
        processText(await processFigures()),
      ].join(""),
    );
  });
}
