/** The schema, as the steps that lead to it. A step that was released is never changed: another one follows it. */
import { VerisumError } from "../../protocol/errors.ts";
import type { Database, Queries } from "./database.ts";

/** In the SQL that SQLite and PostgreSQL share. All but `models` is of one task: see `taskKey`. */
const MIGRATIONS: readonly (readonly string[])[] = [
  [
    // `block` and `hash`: everything up to there is in the tables. `revision` grows with every change. `checked_at`:
    // Unix seconds.
    `CREATE TABLE tasks (
      task TEXT PRIMARY KEY, contract TEXT NOT NULL, chain_id TEXT NOT NULL, deployment TEXT NOT NULL,
      block BIGINT NOT NULL, hash TEXT NOT NULL, final_block BIGINT NOT NULL, revision BIGINT NOT NULL,
      checked_at BIGINT, trouble TEXT, snapshot TEXT)`,
    `CREATE TABLE blocks (
      task TEXT NOT NULL, number BIGINT NOT NULL, hash TEXT NOT NULL, time BIGINT NOT NULL,
      PRIMARY KEY (task, number))`,
    `CREATE TABLE events (
      task TEXT NOT NULL, block BIGINT NOT NULL, position BIGINT NOT NULL, transaction_hash TEXT NOT NULL,
      name TEXT NOT NULL, round BIGINT, seat BIGINT, account TEXT, fields TEXT NOT NULL,
      PRIMARY KEY (task, block, position))`,
    `CREATE INDEX events_by_round ON events (task, round, block)`,
    `CREATE TABLE transactions (
      task TEXT NOT NULL, hash TEXT NOT NULL, block BIGINT NOT NULL,
      sender TEXT, gas BIGINT, fee_gwei DOUBLE PRECISION,
      PRIMARY KEY (task, hash))`,
    // `last_block`: of the round's last event that these rows know of.
    `CREATE TABLE rounds (
      task TEXT NOT NULL, number BIGINT NOT NULL, state TEXT NOT NULL, last_block BIGINT NOT NULL,
      opened_block BIGINT NOT NULL, settled_block BIGINT, ended_block BIGINT,
      opened_at BIGINT NOT NULL, closed_at BIGINT, settled_at BIGINT, ended_at BIGINT,
      opened_transaction TEXT NOT NULL, settled_transaction TEXT, ended_transaction TEXT,
      submitted BIGINT NOT NULL, included BIGINT, total_weight BIGINT,
      attested BIGINT NOT NULL, released BIGINT NOT NULL, signers TEXT,
      base_cid TEXT NOT NULL, model_cid TEXT, model_digest TEXT, aggregate_cid TEXT,
      gas BIGINT, fee_gwei DOUBLE PRECISION,
      PRIMARY KEY (task, number))`,
    `CREATE TABLE submissions (
      task TEXT NOT NULL, round BIGINT NOT NULL, client TEXT NOT NULL, position BIGINT NOT NULL,
      weight BIGINT NOT NULL, included BIGINT, proofs BIGINT NOT NULL, shares_cid TEXT NOT NULL,
      block BIGINT NOT NULL, transaction_hash TEXT NOT NULL,
      PRIMARY KEY (task, round, position))`,
    `CREATE INDEX submissions_by_client ON submissions (task, client)`,
    `CREATE TABLE seats (
      task TEXT NOT NULL, round BIGINT NOT NULL, seat BIGINT NOT NULL,
      attested BIGINT, release_cid TEXT, signed BIGINT NOT NULL,
      PRIMARY KEY (task, round, seat))`,
    `CREATE TABLE participants (
      task TEXT NOT NULL, account TEXT NOT NULL, role TEXT NOT NULL, seat BIGINT NOT NULL,
      weight BIGINT, since_block BIGINT NOT NULL, left_block BIGINT,
      PRIMARY KEY (task, role, account, seat))`,
    // Of the file that a CID names, so of no task and no branch of a chain.
    `CREATE TABLE models (
      cid TEXT PRIMARY KEY, found BIGINT NOT NULL, reason TEXT,
      accuracy DOUBLE PRECISION, loss DOUBLE PRECISION, samples BIGINT, epsilon DOUBLE PRECISION,
      parent_cid TEXT, bytes BIGINT)`,
  ],
  [
    // What is counted by client is in the index itself.
    `DROP INDEX submissions_by_client`,
    `CREATE INDEX submissions_counted ON submissions (task, client, included)`,
    // In the order in which a round's events are listed.
    `DROP INDEX events_by_round`,
    `CREATE INDEX events_by_round ON events (task, round, block, position)`,
    // Nobody asked for them.
    `ALTER TABLE tasks DROP COLUMN deployment`,
    `ALTER TABLE transactions DROP COLUMN sender`,
  ],
];

/** @throws DATABASE_NEWER if a later version of this program wrote the database; DATABASE_FAILED */
export async function migrate(database: Database): Promise<void> {
  await database.transaction(async (queries) => {
    await queries.run("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)");
    const version = await versionOf(queries);
    if (version > MIGRATIONS.length)
      throw new VerisumError(
        "DATABASE_NEWER",
        `${database.name} has version ${version} of the schema; this program knows ${MIGRATIONS.length}`,
        { version, known: MIGRATIONS.length },
      );
    if (version === MIGRATIONS.length) return;
    for (const statement of MIGRATIONS.slice(version).flat()) await queries.run(statement);
    await queries.run("DELETE FROM schema_version");
    await queries.run("INSERT INTO schema_version (version) VALUES (?)", [MIGRATIONS.length]);
  });
}

async function versionOf(queries: Queries): Promise<number> {
  const [row] = await queries.all<{ readonly version: number }>("SELECT version FROM schema_version");
  return row?.version ?? 0;
}
