/** A small SQL database, as the indexer needs it: one schema, one dialect, several engines. */

/** What SQL takes and gives. Whole numbers are at most 2^53 - 1; larger ones are decimal text. */
export type Value = string | number | null;
export type Row = Readonly<Record<string, Value>>;

export interface Queries {
  /** @param sql with `?` for each value */
  all<R extends Row>(sql: string, values?: readonly Value[]): Promise<readonly R[]>;
  run(sql: string, values?: readonly Value[]): Promise<void>;
}

/** An open database. Reads see whole transactions. */
export interface Database extends Queries {
  /** For people and logs; no password in it. */
  readonly name: string;
  /** All of the work or nothing; one at a time, for other processes as well. */
  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Values of one statement, less than the engines' limits. */
const MOST_VALUES = 10_000;

/** Inserts rows of the same columns, many in a statement. */
export async function insertRows(queries: Queries, table: string, rows: readonly Row[]): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  const columns = Object.keys(first);
  const place = `(${columns.map(() => "?").join(", ")})`;
  const most = Math.floor(MOST_VALUES / columns.length);
  for (let start = 0; start < rows.length; start += most) {
    const part = rows.slice(start, start + most);
    await queries.run(
      `INSERT INTO ${table} (${columns.join(", ")}) VALUES ${part.map(() => place).join(", ")}`,
      part.flatMap((row) => columns.map((column) => row[column]!)),
    );
  }
}

/** `?, ?, …` for a list of values. */
export function places(values: readonly unknown[]): string {
  return values.map(() => "?").join(", ");
}
