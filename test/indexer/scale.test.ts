import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { measureIndex } from "../../experiments/index/measure.ts";
import { simulatedChain } from "../../experiments/index/simulated-chain.ts";
import { openDatabase } from "../../indexer/database/open-database.ts";
import { indexTask } from "../../indexer/index-task.ts";
import { KILLED_SIZE } from "../support/index-until-killed.ts";

const TABLES = ["blocks", "events", "transactions", "rounds", "submissions", "seats", "participants"];
/** Writes at which the process is killed: evenly apart among all of them. */
const KILLS = 8;

describe("the index of a long task", function () {
  this.timeout(240_000);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "verisum-scale-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("is built of 1,000 rounds of 50 clients, and answers in a hundredth of the time that it takes", async () => {
    const measured = await measureIndex(join(folder, "long.sqlite"), { rounds: 1000, clients: 50 });
    console.log(`      ${measured.events} events in ${measured.rebuiltSeconds.toFixed(1)} s`);
    // Against each other: what the machine is, and what else it does, slows both.
    const mostMs = (1000 * measured.rebuiltProcessorSeconds) / 100;
    for (const { path, processorMs } of measured.queries)
      assert.ok(processorMs <= mostMs, `${path}: ${processorMs} of ${mostMs} ms`);
  });

  it("loses nothing, and has nothing twice, when its process is killed at any write", async () => {
    const whole = join(folder, "whole.sqlite");
    const total = Number(await runUntil(whole, Infinity));
    assert.ok(total > 100, `${total} writes`);
    const expected = await contentOf(whole);
    for (let kill = 0; kill < KILLS; kill++) {
      const at = 1 + Math.floor((kill * (total - 1)) / (KILLS - 1));
      const path = join(folder, `killed-${at}.sqlite`);
      assert.equal(await runUntil(path, at), "SIGKILL", `killed at write ${at}`);
      const database = await openDatabase(path);
      await indexTask(database, simulatedChain(KILLED_SIZE));
      await database.close();
      assert.deepEqual(await contentOf(path), expected, `killed at write ${at}`);
    }
  });
});

/** @returns how many writes there were, or the signal that ended the process */
async function runUntil(path: string, write: number): Promise<number | string> {
  const script = "test/support/index-until-killed.ts";
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", script, path, String(write)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => (said += part));
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (signal !== null) return signal;
  assert.equal(code, 0);
  return Number(said);
}

async function contentOf(path: string): Promise<unknown> {
  const database = await openDatabase(path);
  const content: Record<string, unknown> = {};
  for (const table of TABLES) {
    const rows = (await database.all(`SELECT * FROM ${table}`)).map((row) => JSON.stringify(row));
    content[table] = rows.sort();
  }
  await database.close();
  return content;
}
