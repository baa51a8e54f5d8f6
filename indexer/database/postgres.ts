/** PostgreSQL, by URL. */
import pg from "pg";
import { VerisumError } from "../../protocol/errors.ts";
import type { Database, Queries, Row, Value } from "./database.ts";

const CONNECTIONS = 4;
const CONNECT_MS = 10_000;
/** Of the advisory lock that writers take turns by; the first bytes of SHA-256 of "verisum indexer". */
const WRITERS_LOCK = 0xec90_c5cb;
const INT8 = 20;

/** Whole numbers come as numbers: the indexer stores none above 2^53 - 1. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (id, format) =>
    Number(id) === INT8 ? Number : (pg.types.getTypeParser(id, format) as (value: string) => unknown),
};

/** @param url `postgres://user:password@host/database` @throws DATABASE_FAILED */
export async function openPostgres(url: string): Promise<Database> {
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS, connectionTimeoutMillis: CONNECT_MS, types });
  // A connection that breaks while nobody uses it: the next query opens another one.
  pool.on("error", () => undefined);
  const database: Database = {
    ...queriesOf(pool),
    name: withoutPassword(url),
    transaction: async (work) => {
      const client = await failing(() => pool.connect());
      try {
        await failing(() => client.query("BEGIN"));
        await failing(() => client.query("SELECT pg_advisory_xact_lock($1)", [WRITERS_LOCK]));
        const result = await work(queriesOf(client));
        await failing(() => client.query("COMMIT"));
        client.release();
        return result;
      } catch (error) {
        // A connection whose transaction cannot be undone is closed.
        await client.query("ROLLBACK").then(
          () => client.release(),
          (broken: Error) => client.release(broken),
        );
        throw error;
      }
    },
    close: () => pool.end(),
  };
  await database.all("SELECT 1 AS one");
  return database;
}

function queriesOf(client: pg.Pool | pg.PoolClient): Queries {
  const query = (sql: string, values: readonly Value[] = []): Promise<pg.QueryResult<Row>> =>
    failing(() => client.query<Row>(numbered(sql), [...values]));
  return {
    all: async <R extends Row>(sql: string, values?: readonly Value[]) => (await query(sql, values)).rows as R[],
    run: async (sql, values) => void (await query(sql, values)),
  };
}

/** `?` as `$1`, `$2` … No statement of ours has a question mark in a text. */
function numbered(sql: string): string {
  let count = 0;
  return sql.replaceAll("?", () => `$${++count}`);
}

function withoutPassword(url: string): string {
  return URL.canParse(url) ? Object.assign(new URL(url), { password: "" }).href : "PostgreSQL";
}

async function failing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new VerisumError("DATABASE_FAILED", `PostgreSQL: ${message}`, {}, { cause });
  }
}
