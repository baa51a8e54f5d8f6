/** Every route of the API: what it takes, what it answers, and how it is found. */
import { z } from "zod";
import type { Queries } from "../database/database.ts";
import {
  findRound,
  findTask,
  listEvents,
  listParticipants,
  listRounds,
  listSubmissions,
  listTasks,
  participationIn,
} from "../queries.ts";
import {
  eventSchema,
  participantSchema,
  participationSchema,
  roundDetailSchema,
  roundSchema,
  submissionSchema,
  taskListSchema,
  taskSchema,
} from "./schema.ts";
import type { TaskAnswer } from "./schema.ts";

/** What a route finds its answer with. */
export interface Asked<Query> {
  readonly queries: Queries;
  readonly query: Query;
  /** Unix seconds. */
  readonly now: number;
}

export interface ApiRoute {
  /** With `:name` for each parameter. */
  readonly path: string;
  readonly summary: string;
  /** Of the path and the query string together; everything else is refused. */
  readonly query: z.ZodObject;
  readonly answer: z.ZodType;
  /** The list that CSV is made of, by its key in the answer, and the shape of its rows. */
  readonly csv?: { readonly key: string; readonly row: z.ZodObject };
  /** Undefined if there is no such thing. */
  readonly find: (asked: Asked<never>) => Promise<unknown>;
}

/** Gives a route's query its type where it is found. */
function route<Query extends z.ZodObject>(
  entry: Omit<ApiRoute, "query" | "find"> & {
    readonly query: Query;
    readonly find: (asked: Asked<z.infer<Query>>) => Promise<unknown>;
  },
): ApiRoute {
  return entry;
}

const whole = z
  .string()
  .regex(/^[0-9]{1,15}$/)
  .transform(Number);
/** A whole number with a bound, by default `usual`. */
const limited = (most: number, usual: number) =>
  z
    .string()
    .regex(/^[0-9]{1,6}$/)
    .transform(Number)
    .pipe(z.int().min(1).max(most))
    .default(usual)
    .describe(`At most ${most}; ${usual} by default`);

const task = z
  .string()
  .regex(/^[0-9]{1,78}-0x[0-9a-f]{40}$/)
  .describe("Chain and contract: `31337-0x…`");
const format = z.enum(["json", "csv"]).default("json");
const before = whole.optional().describe("Only rounds before this one");

/** The answer of a route about a task that is in the index. */
async function ofTask<T>(
  { queries, query, now }: Asked<{ readonly task: string }>,
  find: (found: TaskAnswer) => Promise<T>,
): Promise<T | undefined> {
  const found = await findTask(queries, query.task, now);
  return found === undefined ? undefined : find(found);
}

export const API_ROUTES: readonly ApiRoute[] = [
  route({
    path: "/api/tasks",
    summary: "Every task of the index",
    query: z.strictObject({}),
    answer: taskListSchema,
    find: ({ queries, now }) => listTasks(queries, now),
  }),
  route({
    path: "/api/tasks/:task",
    summary: "One task: its rules, its present round, what is trusted",
    query: z.strictObject({ task }),
    answer: taskSchema,
    find: (asked) => ofTask(asked, async (found) => found),
  }),
  route({
    path: "/api/tasks/:task/rounds",
    summary: "Rounds, the latest first",
    query: z.strictObject({ task, before, format, limit: limited(1000, 100) }),
    answer: z.strictObject({ rounds: z.array(roundSchema) }),
    csv: { key: "rounds", row: roundSchema },
    find: (asked) =>
      ofTask(asked, async () => ({ rounds: await listRounds(asked.queries, asked.query.task, asked.query) })),
  }),
  route({
    path: "/api/tasks/:task/rounds/:round",
    summary: "One round with its submissions and what each seat did",
    query: z.strictObject({ task, round: whole }),
    answer: roundDetailSchema,
    find: ({ queries, query }) => findRound(queries, query.task, query.round),
  }),
  route({
    path: "/api/tasks/:task/submissions",
    summary: "Submissions, of the latest round first",
    query: z.strictObject({
      ...{ task, before, format, limit: limited(5000, 500) },
      client: z
        .string()
        .regex(/^0x[0-9a-f]{40}$/)
        .optional(),
    }),
    answer: z.strictObject({ submissions: z.array(submissionSchema) }),
    csv: { key: "submissions", row: submissionSchema },
    find: (asked) =>
      ofTask(asked, async () => ({
        submissions: await listSubmissions(asked.queries, asked.query.task, asked.query),
      })),
  }),
  route({
    path: "/api/tasks/:task/participants",
    summary: "Members by seat, then clients, with what each waits for",
    query: z.strictObject({ task, format }),
    answer: z.strictObject({ participants: z.array(participantSchema) }),
    csv: { key: "participants", row: participantSchema },
    find: (asked) => ofTask(asked, async (found) => ({ participants: await listParticipants(asked.queries, found) })),
  }),
  route({
    path: "/api/tasks/:task/participation",
    summary: "Who took part in which of the latest rounds",
    query: z.strictObject({ task, before, limit: limited(200, 50) }),
    answer: participationSchema,
    find: (asked) => ofTask(asked, () => participationIn(asked.queries, asked.query.task, asked.query)),
  }),
  route({
    path: "/api/tasks/:task/events",
    summary: "Events of the contract, the latest first",
    query: z.strictObject({
      ...{ task, format, round: whole.optional(), limit: limited(1000, 100) },
      before: z
        .string()
        .regex(/^[0-9]{1,15}:[0-9]{1,9}$/)
        .transform((place) => {
          const [block, position] = place.split(":").map(Number);
          return { block: block!, position: position! };
        })
        .optional()
        .describe("Only events before this one: `block:position`"),
    }),
    answer: z.strictObject({ events: z.array(eventSchema) }),
    csv: { key: "events", row: eventSchema },
    find: (asked) =>
      ofTask(asked, async () => ({ events: await listEvents(asked.queries, asked.query.task, asked.query) })),
  }),
];
