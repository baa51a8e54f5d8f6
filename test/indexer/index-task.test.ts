import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "mocha";
import type { TaskReader } from "../../chain/task-chain.ts";
import { indexTask } from "../../indexer/index-task.ts";
import type { IndexedChain } from "../../indexer/index-task.ts";
import type { Database, Queries, Row } from "../../indexer/database/database.ts";
import { openDatabase } from "../../indexer/database/open-database.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import {
  finalizeMemoryRound,
  memoryAttestations,
  memorySubmission,
  openMemoryRound,
  openMemoryTask,
  settleMemoryRound,
} from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";
import { findPostgres, startPostgres } from "../support/postgres.ts";
import type { PostgresServer } from "../support/postgres.ts";
import { seededRandom } from "../support/random.ts";

const TABLES = ["events", "blocks", "transactions", "rounds", "submissions", "seats", "participants"];

/** Every row of every table, in one order; revisions count writes and say nothing of the chain. */
async function contentOf(database: Database): Promise<Readonly<Record<string, readonly Row[]>>> {
  const content: Record<string, readonly Row[]> = {};
  for (const table of TABLES) {
    const rows = await database.all(`SELECT * FROM ${table}`);
    // A block without an event is only where a pass ended.
    const kept =
      table === "blocks" ? rows.filter(({ number }) => content["events"]!.some((e) => e["block"] === number)) : rows;
    content[table] = kept.map((row) => ({ ...row })).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  return content;
}

async function playRound(task: MemoryTask, label: string): Promise<void> {
  const round = await openMemoryRound(task);
  await settleMemoryRound(task, round);
  await finalizeMemoryRound(task, round, label);
}

const postgres = findPostgres();
const ENGINES = ["SQLite", "PostgreSQL"] as const;

for (const engine of ENGINES) {
  const isThere = engine === "SQLite" || postgres !== undefined;
  const title = `the index of a task, in ${engine}`;
  (isThere ? describe : describe.skip)(
    isThere ? title : `${title} (no initdb found; POSTGRES_BIN names its folder)`,
    function () {
      this.timeout(60_000);
      let folder: string;
      let server: PostgresServer | undefined;
      let task: MemoryTask;
      let reader: TaskReader;
      const open: Database[] = [];

      before(async () => {
        folder = await mkdtemp(join(tmpdir(), "verisum-index-"));
        if (engine === "PostgreSQL") server = await startPostgres(postgres!);
      });
      beforeEach(async () => {
        task = await openMemoryTask();
        reader = task.reader(64);
      });
      after(async () => {
        await Promise.all(open.map((database) => database.close()));
        await server?.stop();
        await rm(folder, { recursive: true });
      });

      let made = 0;
      /** A database without anything in it. */
      async function freshDatabase(): Promise<Database> {
        made += 1;
        const where =
          server === undefined ? join(folder, `${made}.sqlite`) : await newPostgresDatabase(server.url, made);
        const database = await openDatabase(where);
        open.push(database);
        return database;
      }

      /** What an index in SQLite has that was made at once. */
      async function rebuilt(): Promise<Readonly<Record<string, readonly Row[]>>> {
        const database = await openDatabase(join(folder, `${(made += 1)}.sqlite`));
        open.push(database);
        await indexTask(database, reader);
        return contentOf(database);
      }

      it("has every round, submission, seat and participant of the chain, with blocks and times", async () => {
        await playRound(task, "one");
        const second = await openMemoryRound(task);
        await task.clients[0]!.submit(second, memorySubmission(task, "late"));
        const database = await freshDatabase();
        const { changed } = await indexTask(database, reader);
        assert.equal(changed, true);
        const { rounds, submissions, seats, participants, events } = await contentOf(database);
        assert.deepEqual(
          rounds!.map(({ number, state, submitted, included, attested, signers }) => [
            number,
            state,
            submitted,
            included,
            attested,
            signers,
          ]),
          [
            [1, "Finalised", 3, 3, 4, "1,2"],
            [2, "Collecting", 1, null, 0, null],
          ],
        );
        const [first] = rounds!;
        const look = await reader.look();
        const opening = look.events().find(({ name }) => name === "RoundOpened")!;
        assert.equal(first!["opened_at"], (await reader.block(opening.blockNumber))!.timestamp);
        assert.ok((first!["ended_at"] as number) > first!["opened_at"]);
        assert.deepEqual(
          submissions!.map(({ round, client, included }) => [round, client, included]).sort(),
          [
            ...task.clients.map(({ account }) => [1, account.toLowerCase(), 1]),
            [2, task.clients[0]!.account.toLowerCase(), null],
          ].sort(),
        );
        assert.equal(seats!.filter(({ signed }) => signed === 1).length, 2);
        assert.equal(participants!.length, 7);
        assert.equal(events!.length, look.events().length);
      });

      it("changes nothing where the chain has not", async () => {
        await playRound(task, "one");
        const database = await freshDatabase();
        await indexTask(database, reader);
        const before = await contentOf(database);
        assert.equal((await indexTask(database, reader)).changed, false);
        assert.deepEqual(await contentOf(database), before);
      });

      it("is the same whether it was made at once or block by block", async () => {
        const database = await freshDatabase();
        for (const label of ["one", "two", "three"]) {
          const round = await openMemoryRound(task);
          await indexTask(database, reader);
          for (const client of task.clients) {
            await client.submit(round, memorySubmission(task, `${label} ${client.account}`));
            await indexTask(database, reader);
          }
          await task.operator.settle(round, await memoryAttestations(task), 15n, []);
          await indexTask(database, reader);
          await finalizeMemoryRound(task, round, label);
          await indexTask(database, reader);
        }
        assert.deepEqual(await contentOf(database), await rebuilt());
      });

      it("follows reorganisations of depth 1 to 12", async () => {
        const database = await freshDatabase();
        for (let depth = 1; depth <= 12; depth++) {
          await playRound(task, `before ${depth}`);
          const round = await openMemoryRound(task);
          await indexTask(database, reader);
          const fork = task.chain.snapshot();
          const start = task.chain.blockNumber;
          for (let i = 0; task.chain.blockNumber < start + depth; i++) {
            if (i < 3) await task.clients[i]!.submit(round, memorySubmission(task, `lost ${i}`));
            else task.chain.mine();
          }
          await indexTask(database, reader);
          task.chain.restore(fork);
          // Another client, and sometimes none: what was lost must go by itself.
          if (depth % 3 !== 0) await task.clients[2]!.submit(round, memorySubmission(task, "kept"));
          task.chain.mine(depth);
          await indexTask(database, reader);
          assert.deepEqual(await contentOf(database), await rebuilt(), `depth ${depth}`);
          task.chain.setTime(task.chain.nextTime + task.parameters.collectSeconds);
          await task.operator.abort(round);
        }
      });

      it("goes on after the end of its process at any write, also where the chain is another one by then", async () => {
        for (const label of ["one", "two", "three", "four"]) await playRound(task, label);
        const fork = task.chain.snapshot();
        const round = await openMemoryRound(task);
        await task.clients[0]!.submit(round, memorySubmission(task, "lost"));
        const writes = await countWrites();
        const random = seededRandom("writes");
        assert.ok(writes > 20);
        const crashes = Array.from(
          { length: 12 },
          () => 1 + (random(2).reduce((n, byte) => 256 * n + byte, 0) % writes),
        );
        for (const crash of [1, 2, writes, ...crashes]) {
          const database = await freshDatabase();
          await assert.rejects(indexTask(breaking(database, crash), reader), /broken off/);
          // A pass with fewer writes left than that ends well.
          await indexTask(breaking(database, crash + 5), reader).catch((error: Error) =>
            assert.match(error.message, /broken off/),
          );
          const branch = task.chain.snapshot();
          task.chain.restore(fork);
          task.chain.mine(3);
          await assert.rejects(indexTask(breaking(database, 2), reader), /broken off/);
          await indexTask(database, reader);
          assert.deepEqual(await contentOf(database), await rebuilt(), `write ${crash}`);
          task.chain.restore(branch);
          await indexTask(database, reader);
          assert.deepEqual(await contentOf(database), await rebuilt(), `write ${crash}, and back`);
        }
      });

      it("says that the chain changed while it was read, and is right after the next pass", async () => {
        await playRound(task, "one");
        const database = await freshDatabase();
        let asked = 0;
        const moving: IndexedChain = {
          ...reader,
          block: async (number) => {
            asked += 1;
            const block = await reader.block(number);
            return block !== undefined && asked > 5 ? { ...block, hash: `${block.hash}0` } : block;
          },
        };
        await assert.rejects(indexTask(database, moving), (error) => isVerisumError(error, "CHAIN_REORGANISED"));
        await indexTask(database, reader);
        assert.deepEqual(await contentOf(database), await rebuilt());
      });

      async function countWrites(): Promise<number> {
        const database = await freshDatabase();
        let count = 0;
        await indexTask(
          watching(database, () => void (count += 1)),
          reader,
        );
        return count;
      }
    },
  );
}

async function newPostgresDatabase(url: string, number: number): Promise<string> {
  const admin = await openDatabase(url);
  await admin.run(`CREATE DATABASE index_${number}`);
  await admin.close();
  return url.replace(/postgres$/, `index_${number}`);
}

/** The database, which calls `before` at each write. */
function watching(database: Database, before: () => void): Database {
  const watched = (queries: Queries): Queries => ({
    ...queries,
    run: async (sql, values) => {
      before();
      await queries.run(sql, values);
    },
  });
  return {
    ...database,
    ...watched(database),
    transaction: (work) => database.transaction((queries) => work(watched(queries))),
  };
}

/** Fails at a write, which ends its transaction as the end of the process would. */
function breaking(database: Database, at: number): Database {
  let count = 0;
  return watching(database, () => {
    count += 1;
    if (count === at) throw new Error("broken off");
  });
}
