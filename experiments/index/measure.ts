/** How long the index of a long task takes to be built, and its API to answer. */
import { median } from "../bench/statistics.ts";
import { API_ROUTES } from "../../indexer/api/routes.ts";
import { openDatabase } from "../../indexer/database/open-database.ts";
import { indexTask, taskKey } from "../../indexer/index-task.ts";
import { simulatedChain } from "./simulated-chain.ts";
import type { SimulatedSize } from "./simulated-chain.ts";

export interface IndexMeasurement extends SimulatedSize {
  readonly events: number;
  readonly rebuiltSeconds: number;
  /** Of all threads: what others on the machine do is not in it. */
  readonly rebuiltProcessorSeconds: number;
  /** Medians, of lists of a hundred. */
  readonly queries: readonly { readonly path: string; readonly milliseconds: number; readonly processorMs: number }[];
}

/** Times that each question is asked; the median counts. */
const TIMES = 5;

/** @param where a database's path or URL, with nothing of this task in it */
export async function measureIndex(where: string, size: SimulatedSize): Promise<IndexMeasurement> {
  const chain = simulatedChain(size);
  const database = await openDatabase(where);
  try {
    const built = startClock();
    const { look } = await indexTask(database, chain);
    const { seconds: rebuiltSeconds, processorSeconds: rebuiltProcessorSeconds } = built();
    const queries: IndexMeasurement["queries"][number][] = [];
    for (const { path, query, find } of API_ROUTES) {
      const given = { task: taskKey(chain.context), round: String(size.rounds), limit: "100" };
      const asked = query.parse(Object.fromEntries(Object.entries(given).filter(([name]) => name in query.shape)));
      const times: ReturnType<ReturnType<typeof startClock>>[] = [];
      for (let i = 0; i < TIMES; i++) {
        const stop = startClock();
        const found = await find({ queries: database, now: 0, query: asked as never });
        times.push(stop());
        if (found === undefined) throw new Error(`${path} finds nothing`);
      }
      queries.push({
        path,
        milliseconds: 1000 * median(times.map(({ seconds }) => seconds)),
        processorMs: 1000 * median(times.map(({ processorSeconds }) => processorSeconds)),
      });
    }
    return { ...size, events: look.events().length, rebuiltSeconds, rebuiltProcessorSeconds, queries };
  } finally {
    await database.close();
  }
}

function startClock(): () => { readonly seconds: number; readonly processorSeconds: number } {
  const [at, used] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(used);
    return { seconds: (performance.now() - at) / 1000, processorSeconds: (user + system) / 1e6 };
  };
}
