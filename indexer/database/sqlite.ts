/** SQLite, embedded, in one file. */
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";
import pLimit from "p-limit";
import { VerisumError } from "../../protocol/errors.ts";
import type { Database, Queries, Row, Value } from "./database.ts";
import { makeFolder } from "../../storage/folder.ts";

/** How long another process's transaction is waited for. */
const BUSY_MS = 10_000;
/** Statements that are kept prepared; those with many rows differ in length and are not worth it. */
const MOST_PREPARED = 200;

/**
 * Opens the file, which is made if absent. Writes go through one connection and reads through another, so that what
 * reads never sees half a transaction.
 * @throws DATABASE_FAILED
 */
export async function openSqlite(path: string): Promise<Database> {
  await makeFolder(dirname(path));
  const writer = open(path);
  const reader = open(path);
  const inTurn = pLimit(1);
  const writing = queriesOf(writer);
  return {
    ...queriesOf(reader),
    name: path,
    run: (sql, values) => inTurn(() => writing.run(sql, values)),
    transaction: (work) =>
      inTurn(async () => {
        failing(() => writer.exec("BEGIN IMMEDIATE"));
        try {
          const result = await work(writing);
          failing(() => writer.exec("COMMIT"));
          return result;
        } catch (error) {
          if (writer.isTransaction) writer.exec("ROLLBACK");
          throw error;
        }
      }),
    close: async () => {
      reader.close();
      writer.close();
    },
  };
}

/** A write-ahead log survives the end of a process at any moment, and keeps readers and the writer apart. */
function open(path: string): DatabaseSync {
  return failing(() => {
    const database = new DatabaseSync(path, { timeout: BUSY_MS });
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON");
    return database;
  });
}

function queriesOf(database: DatabaseSync): Queries {
  const prepared = new Map<string, StatementSync>();
  const statement = (sql: string): StatementSync => {
    const known = prepared.get(sql);
    if (known !== undefined) return known;
    const made = database.prepare(sql);
    if (prepared.size < MOST_PREPARED) prepared.set(sql, made);
    return made;
  };
  return {
    all: async <R extends Row>(sql: string, values: readonly Value[] = []) =>
      failing(() => statement(sql).all(...values) as unknown as readonly R[]),
    run: async (sql, values = []) => failing(() => void statement(sql).run(...values)),
  };
}

function failing<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new VerisumError("DATABASE_FAILED", `SQLite: ${message}`, {}, { cause });
  }
}
