/**
 * One pass of the index over a task: what the chain says now is brought into the tables, in transactions of a range of
 * blocks each. After the end of the process at any moment the next pass goes on; after a reorganisation it begins at
 * the last block that both branches have.
 */
import type { ChainBlock, TaskContext, TaskLook, TaskReader, TransactionCost } from "../chain/task-chain.ts";
import type { TaskEvent } from "../chain/task-events.ts";
import { VerisumError } from "../protocol/errors.ts";
import { insertRows, places } from "./database/database.ts";
import type { Database, Queries, Row } from "./database/database.ts";
import { isOfParticipants, participantRows, roundRows } from "./facts.ts";

/** What a pass needs of a task's chain. */
export type IndexedChain = Pick<TaskReader, "context" | "look" | "block" | "transactionCost">;

/** What names a task in the tables: one database may have tasks of several chains. */
export function taskKey({ chainId, contract }: Pick<TaskContext, "chainId" | "contract">): string {
  return `${chainId}-${contract}`;
}

/** Events after which a range ends with their block. */
const EVENTS_TOGETHER = 500;

/** Up to where a task is in the tables. */
interface Cursor {
  readonly block: number;
  readonly hash: string;
}
const NOTHING: Cursor = { block: -1, hash: "" };

/** Blocks from one number to another, both included, and the events in them. */
interface Range {
  readonly end: number;
  readonly events: readonly TaskEvent[];
}

/**
 * @returns the look that the tables agree with now, and whether anything changed
 * @throws CHAIN_UNREACHABLE and what reading a chain throws; CHAIN_REORGANISED if the chain changed meanwhile, and then
 * another pass mends it; DATABASE_FAILED
 */
export async function indexTask(
  database: Database,
  chain: IndexedChain,
): Promise<{ readonly look: TaskLook; readonly changed: boolean }> {
  const look = await chain.look();
  const task = taskKey(chain.context);
  const cursor = await cursorOf(database, task);
  if (cursor.block === look.block.number && cursor.hash === look.block.hash) return { look, changed: false };
  const base = await commonAncestor(database, chain, cursor, look);
  const stale = await database.transaction(async (queries) => {
    await requireCursor(queries, task, cursor);
    if (base.block < cursor.block) {
      await rollBack(queries, task, base);
      await writeParticipants(queries, task, upTo(look.events(), base.block));
    }
    await writeCursor(queries, chain, base, look.finalBlock);
    return staleRounds(queries, task, base.block);
  });
  await addRanges(database, chain, look, base, stale);
  return { look, changed: true };
}

async function addRanges(
  database: Database,
  chain: IndexedChain,
  look: TaskLook,
  base: Cursor,
  stale: readonly bigint[],
): Promise<void> {
  const task = taskKey(chain.context);
  const all = look.events();
  const byRound = groupedByRound(all);
  const ranges = rangesOf(
    all.filter(({ blockNumber }) => blockNumber > base.block),
    look.block.number,
  );
  let before = base;
  for (const { end, events } of ranges) {
    const isLast = end === look.block.number;
    // A round is written when its last event is there: its rows say nothing that the events do not.
    const whole = [...new Set(events.flatMap(({ round }) => round ?? []))].filter(
      (round) => byRound.get(round)!.at(-1)!.blockNumber <= end,
    );
    const rounds = isLast ? [...new Set([...whole, ...stale])] : whole;
    const needed = [...events, ...rounds.flatMap((round) => byRound.get(round) ?? [])];
    const read = await readRange(database, chain, task, events, needed, end);
    const next = { block: end, hash: read.end.hash };
    if (isLast && read.end.hash !== look.block.hash) throw reorganised(look.block.number);
    await database.transaction(async (queries) => {
      await requireCursor(queries, task, before);
      await insertRows(
        queries,
        "blocks",
        read.blocks.map((block) => blockRow(task, block)),
      );
      await insertRows(
        queries,
        "events",
        events.map((event) => eventRow(task, event)),
      );
      await insertRows(
        queries,
        "transactions",
        read.costs.map(([event, cost]) => costRow(task, event, cost)),
      );
      for (const round of rounds) await writeRound(queries, task, look, round, byRound, read.timeOf);
      if (events.some(isOfParticipants)) await writeParticipants(queries, task, upTo(all, end));
      await writeCursor(queries, chain, next, look.finalBlock);
    });
    before = next;
  }
}

function groupedByRound(events: readonly TaskEvent[]): ReadonlyMap<bigint, readonly TaskEvent[]> {
  const groups = new Map<bigint, TaskEvent[]>();
  for (const event of events) {
    if (event.round === undefined) continue;
    const group = groups.get(event.round);
    if (group === undefined) groups.set(event.round, [event]);
    else group.push(event);
  }
  return groups;
}

/** Blocks with events, and the transactions of these, as the chain tells them. */
async function readRange(
  database: Database,
  chain: IndexedChain,
  task: string,
  events: readonly TaskEvent[],
  needed: readonly TaskEvent[],
  end: number,
): Promise<{
  readonly end: ChainBlock;
  readonly blocks: readonly ChainBlock[];
  readonly costs: readonly (readonly [TaskEvent, TransactionCost | undefined])[];
  readonly timeOf: (block: number) => number;
}> {
  const numbers = new Set(events.map(({ blockNumber }) => blockNumber)).add(end);
  const transactions = new Map(events.map((event) => [event.transactionHash, event]));
  const earlier = [...new Set(needed.map(({ blockNumber }) => blockNumber))].filter((number) => !numbers.has(number));
  const [blocks, costs, known] = await Promise.all([
    Promise.all([...numbers].map(async (number) => (await chain.block(number)) ?? absent(number))),
    Promise.all([...transactions].map(async ([hash, event]) => [event, await chain.transactionCost(hash)] as const)),
    timesOf(database, task, earlier),
  ]);
  // Whatever was read belongs to one branch if that branch's end is still there afterwards.
  const last = await chain.block(end);
  const found = blocks.find(({ number }) => number === end)!;
  if (last?.hash !== found.hash) throw reorganised(end);
  const times = new Map([...known, ...blocks.map(({ number, timestamp }) => [number, timestamp] as const)]);
  return { end: found, blocks, costs, timeOf: (block) => times.get(block) ?? absent(block) };
}

function absent(number: number): never {
  throw new VerisumError("CHAIN_REORGANISED", `block ${number} is not there any more`, { block: number });
}

function reorganised(block: number): VerisumError {
  return new VerisumError("CHAIN_REORGANISED", `block ${block} was replaced while it was read`, { block });
}

/** Events in ranges that end with a block; the last one ends with the latest block, with events or without. */
function rangesOf(events: readonly TaskEvent[], latest: number): readonly Range[] {
  const ranges: Range[] = [];
  let together: TaskEvent[] = [];
  for (const [i, event] of events.entries()) {
    together.push(event);
    const isWhole = events[i + 1]?.blockNumber !== event.blockNumber;
    if (!isWhole || together.length < EVENTS_TOGETHER || event.blockNumber === latest) continue;
    ranges.push({ end: event.blockNumber, events: together });
    together = [];
  }
  return [...ranges, { end: latest, events: together }];
}

/** The highest block that is in the tables and on the chain; before the first one if there is none. */
async function commonAncestor(
  database: Database,
  chain: IndexedChain,
  cursor: Cursor,
  look: TaskLook,
): Promise<Cursor> {
  const task = taskKey(chain.context);
  const isThere = async ({ block, hash }: Cursor): Promise<boolean> =>
    block <= look.block.number && (await chain.block(block))?.hash === hash;
  if (cursor.block < 0 || (await isThere(cursor))) return cursor;
  const below = await database.all<{ readonly block: number; readonly hash: string }>(
    "SELECT number AS block, hash FROM blocks WHERE task = ? AND number < ? ORDER BY number DESC",
    [task, cursor.block],
  );
  for (const candidate of below) if (await isThere(candidate)) return candidate;
  return NOTHING;
}

async function rollBack(queries: Queries, task: string, { block }: Cursor): Promise<void> {
  await queries.run("DELETE FROM events WHERE task = ? AND block > ?", [task, block]);
  await queries.run("DELETE FROM transactions WHERE task = ? AND block > ?", [task, block]);
  await queries.run("DELETE FROM blocks WHERE task = ? AND number > ?", [task, block]);
}

/** Rounds whose rows are not what their events in the tables say: a pass ended early, or was of another branch. */
async function staleRounds(queries: Queries, task: string, block: number): Promise<readonly bigint[]> {
  const rows = await queries.all<{ readonly number: number }>(
    `SELECT number FROM rounds WHERE task = ? AND last_block > ?
     UNION
     SELECT e.round AS number
     FROM (SELECT round, MAX(block) AS last FROM events WHERE task = ? AND round IS NOT NULL GROUP BY round) e
     LEFT JOIN rounds r ON r.task = ? AND r.number = e.round
     WHERE r.last_block IS NULL OR r.last_block <> e.last`,
    [task, block, task, task],
  );
  return rows.map(({ number }) => BigInt(number));
}

async function writeRound(
  queries: Queries,
  task: string,
  look: TaskLook,
  round: bigint,
  byRound: ReadonlyMap<bigint, readonly TaskEvent[]>,
  timeOf: (block: number) => number,
): Promise<void> {
  const of = [task, Number(round)];
  for (const table of ["submissions", "seats"])
    await queries.run(`DELETE FROM ${table} WHERE task = ? AND round = ?`, of);
  await queries.run("DELETE FROM rounds WHERE task = ? AND number = ?", of);
  const rows = roundRows(task, look, round, byRound.get(round) ?? [], timeOf);
  if (rows === undefined) return;
  await insertRows(queries, "rounds", [rows.round]);
  await insertRows(queries, "submissions", rows.submissions);
  await insertRows(queries, "seats", rows.seats);
  const costs =
    "FROM transactions WHERE task = ? AND hash IN (SELECT transaction_hash FROM events WHERE task = ? AND round = ?)";
  await queries.run(
    `UPDATE rounds SET gas = (SELECT SUM(gas) ${costs}), fee_gwei = (SELECT SUM(fee_gwei) ${costs})
     WHERE task = ? AND number = ?`,
    [task, ...of, task, ...of, ...of],
  );
}

async function writeParticipants(queries: Queries, task: string, events: readonly TaskEvent[]): Promise<void> {
  await queries.run("DELETE FROM participants WHERE task = ?", [task]);
  await insertRows(queries, "participants", participantRows(task, events));
}

function upTo(events: readonly TaskEvent[], block: number): readonly TaskEvent[] {
  return events.filter(({ blockNumber }) => blockNumber <= block);
}

async function cursorOf(queries: Queries, task: string): Promise<Cursor> {
  const [row] = await queries.all<{ readonly block: number; readonly hash: string }>(
    "SELECT block, hash FROM tasks WHERE task = ?",
    [task],
  );
  return row ?? NOTHING;
}

/** Another process may index the same task into the same database. @throws DATABASE_BUSY */
async function requireCursor(queries: Queries, task: string, expected: Cursor): Promise<void> {
  const { block, hash } = await cursorOf(queries, task);
  if (block !== expected.block || hash !== expected.hash)
    throw new VerisumError("DATABASE_BUSY", "another process brought the index up to date meanwhile", { block });
}

async function writeCursor(
  queries: Queries,
  { context }: IndexedChain,
  { block, hash }: Cursor,
  finalBlock: number,
): Promise<void> {
  const { contract, chainId } = context;
  await queries.run(
    `INSERT INTO tasks (task, contract, chain_id, block, hash, final_block, revision)
     VALUES (?, ?, ?, ?, ?, ?, 1)
     ON CONFLICT (task) DO UPDATE SET block = excluded.block, hash = excluded.hash,
       final_block = excluded.final_block, revision = tasks.revision + 1`,
    [taskKey(context), contract, chainId.toString(), block, hash, finalBlock],
  );
}

function blockRow(task: string, { number, hash, timestamp }: ChainBlock): Row {
  return { task, number, hash, time: timestamp };
}

function eventRow(task: string, event: TaskEvent): Row {
  const { name, blockNumber, index, transactionHash, round, seat, account, fields } = event;
  return {
    ...{ task, block: blockNumber, position: index, transaction_hash: transactionHash, name },
    round: round === undefined ? null : Number(round),
    seat: seat ?? null,
    account: account ?? null,
    fields: JSON.stringify(fields),
  };
}

const WEI_PER_GWEI = 1e9;

function costRow(task: string, { transactionHash, blockNumber }: TaskEvent, cost: TransactionCost | undefined): Row {
  return {
    ...{ task, hash: transactionHash, block: blockNumber },
    gas: cost === undefined ? null : Number(cost.gasUsed),
    fee_gwei: cost === undefined ? null : Number(cost.feeWei) / WEI_PER_GWEI,
  };
}

/** When blocks were, of those that are in the tables. */
async function timesOf(
  queries: Queries,
  task: string,
  numbers: readonly number[],
): Promise<readonly (readonly [number, number])[]> {
  if (numbers.length === 0) return [];
  const rows = await queries.all<{ readonly number: number; readonly time: number }>(
    `SELECT number, time FROM blocks WHERE task = ? AND number IN (${places(numbers)})`,
    [task, ...numbers],
  );
  return rows.map(({ number, time }) => [number, time]);
}
