/** A dashboard over a made-up task: a chain in memory, claimed figures, and a snapshot to change. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addDashboardPages } from "../../auditor/bundled-pages.ts";
import { partyStates } from "../../auditor/parties.ts";
import { createGateway } from "../../content/gateway.ts";
import { insertRows } from "../../indexer/database/database.ts";
import type { Database } from "../../indexer/database/database.ts";
import { openDatabase } from "../../indexer/database/open-database.ts";
import { addApi } from "../../indexer/api/serve-api.ts";
import type { TaskSnapshot } from "../../indexer/api/schema.ts";
import { indexTask, taskKey } from "../../indexer/index-task.ts";
import { NOTHING_SERVED } from "./empty-gateway.ts";
import {
  finalizeMemoryRound,
  memorySubmission,
  openMemoryRound,
  openMemoryTask,
  settleMemoryRound,
} from "./memory-chain.ts";
import type { MemoryTask } from "./memory-chain.ts";
import { SNAPSHOT } from "../indexer/snapshot.ts";

export interface DashboardScene {
  readonly url: string;
  readonly task: MemoryTask;
  readonly key: string;
  readonly database: Database;
  /** Brings the index up to date, with the snapshot's members that are given in place of its own. */
  refresh(changes?: Partial<TaskSnapshot>): Promise<void>;
  close(): Promise<void>;
}

/** @param rounds that are final before the one that collects */
export async function openDashboardScene(rounds: number, clients = 5): Promise<DashboardScene> {
  const folder = await mkdtemp(join(tmpdir(), "verisum-dashboard-"));
  const database = await openDatabase(join(folder, "index.sqlite"));
  const task = await openMemoryTask({ weights: Array.from({ length: clients }, () => 1) });
  const now = Math.floor(Date.now() / 1000);
  task.chain.setTime(now - rounds * 180 - 60);
  for (let i = 0; i < rounds; i++) {
    task.chain.setTime(now - (rounds - i) * 180);
    const round = await openMemoryRound(task);
    task.chain.setTime(now - (rounds - i) * 180 + 40 + ((i * 7) % 20));
    await settleMemoryRound(task, round);
    task.chain.setTime(now - (rounds - i) * 180 + 90 + ((i * 5) % 30));
    await finalizeMemoryRound(task, round, `round ${i + 1}`);
  }
  task.chain.setTime(now - 20);
  const reader = task.reader(0);
  const key = taskKey(reader.context);
  const app = createGateway(NOTHING_SERVED);
  addApi(app, { database, now: () => Math.floor(Date.now() / 1000), mostAMinute: 1_000_000 });
  await addDashboardPages(app);
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  return {
    ...{ url, task, key, database },
    refresh: async (changes = {}) => {
      const { look } = await indexTask(database, reader);
      const snapshot = { ...SNAPSHOT, ...(await snapshotNow(task, look)), ...changes };
      await database.transaction(async (queries) => {
        await queries.run("DELETE FROM models");
        await insertRows(queries, "models", await modelRows(database, key));
        await queries.run("UPDATE transactions SET gas = 210000 + (block * 7919) % 90000, fee_gwei = 2100000");
        await queries.run(
          "UPDATE rounds SET gas = 2400000 + (number * 7919) % 400000, fee_gwei = 24000000 + number * 90000",
        );
        await queries.run("UPDATE tasks SET snapshot = ?, checked_at = ?, trouble = NULL, revision = revision + 1", [
          JSON.stringify(snapshot),
          Math.floor(Date.now() / 1000),
        ]);
      });
    },
    close: async () => {
      await app.close();
      await database.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Clients submit to a round that is opened for it, as many as told. */
export async function openCollecting({ task }: DashboardScene, submitting: number): Promise<void> {
  const round = await openMemoryRound(task);
  for (const client of task.clients.slice(0, submitting))
    await client.submit(round, memorySubmission(task, client.account));
}

const NOTHING_SAID = { attestations: () => [], releases: () => [] };

type Look = Awaited<ReturnType<typeof indexTask>>["look"];

async function snapshotNow({ parameters, operator }: MemoryTask, look: Look): Promise<Partial<TaskSnapshot>> {
  const { round, finalisedRounds, clientCount, latestModel } = look;
  const records = look.records(round.number);
  const [clients, members] = [await operator.clients(), await operator.members()];
  return {
    name: "Handwritten digits",
    description:
      "Recognise handwritten digits from 8 by 8 grey values, trained by hospitals of one region on forms of their own.",
    operator: operator.account.toLowerCase(),
    model: "dense 32, relu, dense 10",
    round: {
      ...{ number: Number(round.number), phase: round.phase, deadline: round.deadline },
      ...{ submitted: round.submitted, expected: round.expected },
      ...{ attested: 0, released: records.released.length },
    },
    finalBlock: look.finalBlock,
    latestBlock: { number: look.block.number, time: Math.floor(Date.now() / 1000) },
    finalisedRounds,
    maxRounds: 20,
    clients: clientCount,
    latestModel: { ...SNAPSHOT.latestModel, round: Number(latestModel.round) },
    committee: {
      ...{ seats: parameters.committeeSize, threshold: parameters.threshold, quorum: parameters.quorum },
      members: members.map((member) => member.toLowerCase()),
    },
    parties: [
      ...partyStates({
        ...{ parameters, round, now: 0, records, said: NOTHING_SAID, finalisedRounds },
        ...{ clients, clientCount, members },
      }).map((party) => ({
        ...party,
        ...(party.account === undefined ? {} : { account: party.account.toLowerCase() }),
      })),
    ],
    privacy: {
      subject: "record",
      statement:
        "Each record of each client is protected from whoever sees models and sums, as long as 3 clients of a round are honest.",
      delta: 1e-5,
      rounds: 20,
      remainingRounds: 20 - finalisedRounds,
      epsilon: { rdp: { spent: 0.4 * Math.sqrt(finalisedRounds), budget: 2 } },
    },
  };
}

async function modelRows(database: Database, key: string): Promise<readonly Record<string, string | number | null>[]> {
  const rounds = await database.all<{ readonly number: number; readonly model_cid: string; readonly base_cid: string }>(
    "SELECT number, model_cid, base_cid FROM rounds WHERE task = ? AND model_cid IS NOT NULL",
    [key],
  );
  return rounds.map(({ number, model_cid: cid, base_cid: parent }) => ({
    ...{ cid, found: 1, reason: null, samples: 360, parent_cid: parent, bytes: 41_337 },
    accuracy: 0.96 - 0.8 * Math.exp(-number / 3) + 0.01 * Math.sin(number * 5),
    loss: 0.12 + 2 * Math.exp(-number / 3) + 0.03 * Math.cos(number * 3),
    epsilon: 0.4 * Math.sqrt(number),
  }));
}
