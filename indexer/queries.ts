/** What the API answers, read from the tables. */
import type { Queries, Row, Value } from "./database/database.ts";
import { places } from "./database/database.ts";
import { snapshotSchema } from "./api/schema.ts";
import type {
  IndexedEvent,
  Participant,
  Participation,
  Round,
  RoundDetail,
  Submission,
  TaskAnswer,
  TaskList,
} from "./api/schema.ts";

/** Rounds whose accuracy a list of tasks shows. */
const LISTED_ROUNDS = 30;

/** @param now Unix seconds */
export async function listTasks(queries: Queries, now: number): Promise<TaskList> {
  const rows = await queries.all("SELECT * FROM tasks ORDER BY task");
  const tasks = rows.map(async (row) => {
    const task = taskOf(row, now);
    const rounds = await listRounds(queries, task.task, { limit: LISTED_ROUNDS });
    const accuracies = rounds.flatMap(({ accuracy }) => accuracy ?? []).reverse();
    return { ...task, accuracy: accuracies.at(-1) ?? null, accuracies };
  });
  return { tasks: await Promise.all(tasks) };
}

/** @returns undefined if there is no such task in the index */
export async function findTask(queries: Queries, task: string, now: number): Promise<TaskAnswer | undefined> {
  const [row] = await queries.all("SELECT * FROM tasks WHERE task = ?", [task]);
  return row === undefined ? undefined : taskOf(row, now);
}

function taskOf(row: Row, now: number): TaskAnswer {
  const { checked_at: checkedAt, snapshot } = row;
  // Of another version of this program it may have another form: it is written anew at the next look.
  const parsed = typeof snapshot === "string" ? snapshotSchema.safeParse(JSON.parse(snapshot)) : undefined;
  return {
    task: text(row["task"]),
    chainId: text(row["chain_id"]),
    contract: text(row["contract"]),
    block: number(row["block"]),
    revision: number(row["revision"]),
    checkedSecondsAgo: checkedAt === null ? null : Math.max(0, now - number(checkedAt)),
    trouble: row["trouble"] as string | null,
    snapshot: parsed?.data ?? null,
  };
}

/** A part of a list, newest first. */
export interface Page {
  /** Rounds before this one. */
  readonly before?: number | undefined;
  readonly limit: number;
}

const ROUND_COLUMNS =
  "r.*, m.accuracy, m.loss, m.samples, m.epsilon, m.bytes AS model_bytes, m.reason AS model_missing FROM rounds r LEFT JOIN models m ON m.cid = r.model_cid";

export async function listRounds(queries: Queries, task: string, { before, limit }: Page): Promise<Round[]> {
  const rows = await queries.all(
    `SELECT ${ROUND_COLUMNS} WHERE r.task = ? AND r.number < ? ORDER BY r.number DESC LIMIT ?`,
    [task, before ?? Number.MAX_SAFE_INTEGER, limit],
  );
  return rows.map(roundOf(await finalBlockOf(queries, task)));
}

export async function findRound(queries: Queries, task: string, round: number): Promise<RoundDetail | undefined> {
  const of = [task, round];
  const [row] = await queries.all(`SELECT ${ROUND_COLUMNS} WHERE r.task = ? AND r.number = ?`, of);
  if (row === undefined) return undefined;
  const [submissions, seats] = [
    await queries.all("SELECT * FROM submissions WHERE task = ? AND round = ? ORDER BY position", of),
    await queries.all("SELECT * FROM seats WHERE task = ? AND round = ? ORDER BY seat", of),
  ];
  return {
    round: roundOf(await finalBlockOf(queries, task))(row),
    submissions: submissions.map(submissionOf),
    seats: seats.map(({ seat, attested, release_cid: releaseCid, signed }) => ({
      seat: number(seat),
      attested: attested as number | null,
      releaseCid: releaseCid as string | null,
      signed: signed === 1,
    })),
  };
}

export interface SubmissionFilter extends Page {
  readonly client?: string | undefined;
}

export async function listSubmissions(
  queries: Queries,
  task: string,
  { client, before, limit }: SubmissionFilter,
): Promise<Submission[]> {
  const rows = await queries.all(
    `SELECT * FROM submissions WHERE task = ? AND round < ?${client === undefined ? "" : " AND client = ?"}
     ORDER BY round DESC, position LIMIT ?`,
    [task, before ?? Number.MAX_SAFE_INTEGER, ...(client === undefined ? [] : [client]), limit],
  );
  return rows.map(submissionOf);
}

export async function listParticipants(queries: Queries, { task, snapshot }: TaskAnswer): Promise<Participant[]> {
  const [rows, counts] = [
    await queries.all("SELECT * FROM participants WHERE task = ? ORDER BY role DESC, seat, since_block, account", [
      task,
    ]),
    await queries.all(
      "SELECT client, COUNT(*) AS submitted, SUM(included) AS included FROM submissions WHERE task = ? GROUP BY client",
      [task],
    ),
  ];
  const byClient = new Map(counts.map((row) => [row["client"], row]));
  const states = new Map(
    snapshot?.parties.map((party) => [party.party === "client" ? party.account : party.party, party]),
  );
  return rows.map((row) => {
    const [role, account] = [row["role"] as "client" | "member", text(row["account"])];
    const counted = role === "client" ? byClient.get(account) : undefined;
    const party = states.get(role === "client" ? account : `seat ${number(row["seat"])}`);
    return {
      ...{
        role,
        account,
        seat: role === "member" ? number(row["seat"]) : null,
        weight: row["weight"] as number | null,
      },
      ...{ sinceBlock: number(row["since_block"]), leftBlock: row["left_block"] as number | null },
      ...{ submitted: number(counted?.["submitted"] ?? 0), included: number(counted?.["included"] ?? 0) },
      ...{ state: party?.state ?? null, reason: party?.reason ?? null },
    };
  });
}

const MARKS = { missing: ".", included: "+", excluded: "-", open: "?" } as const;

/** Who submitted to which of the latest rounds, in one letter each. */
export async function participationIn(queries: Queries, task: string, page: Page): Promise<Participation> {
  const rounds = (await listRounds(queries, task, page)).map((round) => round.number).reverse();
  if (rounds.length === 0) return { rounds, clients: [] };
  const rows = await queries.all<{ readonly round: number; readonly client: string; readonly included: number | null }>(
    `SELECT round, client, included FROM submissions WHERE task = ? AND round IN (${places(rounds)})`,
    [task, ...rounds],
  );
  const clients = await queries.all<{ readonly account: string }>(
    "SELECT account FROM participants WHERE task = ? AND role = 'client' ORDER BY since_block, account",
    [task],
  );
  const columns = new Map(rounds.map((round, i) => [round, i]));
  const marks = new Map(clients.map(({ account }) => [account, rounds.map((): string => MARKS.missing)]));
  for (const { round, client, included } of rows) {
    const mark = included === null ? MARKS.open : included === 1 ? MARKS.included : MARKS.excluded;
    const row = marks.get(client);
    if (row !== undefined) row[columns.get(round)!] = mark;
  }
  return { rounds, clients: [...marks].map(([account, row]) => ({ account, marks: row.join("") })) };
}

/** Events before a place in the chain, latest first. */
export interface EventFilter {
  readonly before?: { readonly block: number; readonly position: number } | undefined;
  readonly round?: number | undefined;
  readonly limit: number;
}

export async function listEvents(
  queries: Queries,
  task: string,
  { before, round, limit }: EventFilter,
): Promise<IndexedEvent[]> {
  const conditions = ["e.task = ?"];
  const values: Value[] = [task];
  if (before !== undefined) {
    conditions.push("(e.block < ? OR (e.block = ? AND e.position < ?))");
    values.push(before.block, before.block, before.position);
  }
  if (round !== undefined) {
    conditions.push("e.round = ?");
    values.push(round);
  }
  const rows = await queries.all(
    `SELECT e.*, b.time, t.gas FROM events e
     JOIN blocks b ON b.task = e.task AND b.number = e.block
     LEFT JOIN transactions t ON t.task = e.task AND t.hash = e.transaction_hash
     WHERE ${conditions.join(" AND ")} ORDER BY e.block DESC, e.position DESC LIMIT ?`,
    [...values, limit],
  );
  return rows.map((row) => ({
    ...{ block: number(row["block"]), position: number(row["position"]), time: number(row["time"]) },
    ...{ name: text(row["name"]), round: row["round"] as number | null, seat: row["seat"] as number | null },
    ...{ account: row["account"] as string | null, transaction: text(row["transaction_hash"]) },
    ...{ gas: row["gas"] as number | null, fields: JSON.parse(text(row["fields"])) as Record<string, string> },
  }));
}

/** Tasks with their revisions: cheap, to see what changed. */
export function revisions(
  queries: Queries,
): Promise<readonly { readonly task: string; readonly revision: number; readonly trouble: string | null }[]> {
  return queries.all("SELECT task, revision, trouble FROM tasks");
}

async function finalBlockOf(queries: Queries, task: string): Promise<number> {
  const [row] = await queries.all("SELECT final_block FROM tasks WHERE task = ?", [task]);
  return number(row?.["final_block"] ?? -1);
}

function roundOf(finalBlock: number): (row: Row) => Round {
  return (row) => {
    const renamed: Record<string, Value> = {};
    for (const [key, value] of Object.entries(row)) renamed[camelCase(key)] = value;
    const { task: _, lastBlock: __, ...round } = renamed;
    const { endedBlock } = round as { readonly endedBlock: number | null };
    return { ...(round as Omit<Round, "isFinal">), isFinal: endedBlock !== null && endedBlock <= finalBlock };
  };
}

function submissionOf(row: Row): Submission {
  const { included } = row;
  return {
    ...{ round: number(row["round"]), client: text(row["client"]), position: number(row["position"]) },
    ...{ weight: number(row["weight"]), included: included === null ? null : included === 1 },
    ...{ proofs: number(row["proofs"]), sharesCid: text(row["shares_cid"]), block: number(row["block"]) },
    transaction: text(row["transaction_hash"]),
  };
}

function camelCase(column: string): string {
  return column.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

const text = (value: Value | undefined): string => String(value);
const number = (value: Value | undefined): number => Number(value);
