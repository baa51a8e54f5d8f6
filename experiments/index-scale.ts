/**
 * The index of a long task, on a simulated chain: seconds to build it, and milliseconds of each question of its API.
 *
 *   node experiments/index-scale.ts --rounds 1000 --clients 50
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { positiveInteger } from "../command/options.ts";
import { createProgram } from "../command/program.ts";
import { measureIndex } from "./index/measure.ts";

const program = createProgram("index-scale", "measure the index of a long task")
  .option("--rounds <n>", "finished rounds", positiveInteger, 1000)
  .option("--clients <n>", "clients in each", positiveInteger, 50)
  .option("--database <url>", "an empty PostgreSQL database, in place of a file of SQLite");
const flags = (await program.parseAsync()).opts<{ rounds: number; clients: number; database?: string }>();
const folder = await mkdtemp(join(tmpdir(), "verisum-index-scale-"));
try {
  const { rounds, clients, events, rebuiltSeconds, queries } = await measureIndex(
    flags.database ?? join(folder, "index.sqlite"),
    flags,
  );
  const lines = [
    `${rounds} rounds of ${clients} clients, ${events} events: built in ${rebuiltSeconds.toFixed(1)} s`,
    ...queries.map(({ path, milliseconds }) => `${milliseconds.toFixed(1).padStart(8)} ms  ${path}`),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
} finally {
  await rm(folder, { recursive: true });
}
