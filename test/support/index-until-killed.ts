/** A process that indexes a simulated task and kills itself at a write. Prints how many writes there were. */
import { pathToFileURL } from "node:url";
import { simulatedChain } from "../../experiments/index/simulated-chain.ts";
import type { Database, Queries } from "../../indexer/database/database.ts";
import { openDatabase } from "../../indexer/database/open-database.ts";
import { indexTask } from "../../indexer/index-task.ts";

export const KILLED_SIZE = { rounds: 60, clients: 10 };

async function run(path: string, killAt: number): Promise<void> {
  const database = await openDatabase(path);
  let writes = 0;
  const counted = (queries: Queries): Queries => ({
    all: queries.all.bind(queries),
    run: async (sql, values) => {
      writes += 1;
      // Before the write, with the transaction open.
      if (writes === killAt) process.kill(process.pid, "SIGKILL");
      await queries.run(sql, values);
    },
  });
  const killed: Database = {
    ...database,
    ...counted(database),
    transaction: (work) => database.transaction((queries) => work(counted(queries))),
  };
  await indexTask(killed, simulatedChain(KILLED_SIZE));
  await database.close();
  process.stdout.write(String(writes));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await run(process.argv[2]!, Number(process.argv[3]));
