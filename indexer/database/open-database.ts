/** The database that a URL or a path names, with the present schema. */
import type { Database } from "./database.ts";
import { migrate } from "./migrations.ts";

const POSTGRES = /^postgres(ql)?:\/\//;

/**
 * @param where `postgres://…`, or the path of an SQLite file, which is made if absent
 * @throws DATABASE_FAILED, DATABASE_NEWER
 */
export async function openDatabase(where: string): Promise<Database> {
  // Each engine is loaded by those who use it.
  const database = POSTGRES.test(where)
    ? await (await import("./postgres.ts")).openPostgres(where)
    : await (await import("./sqlite.ts")).openSqlite(where);
  try {
    await migrate(database);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}
