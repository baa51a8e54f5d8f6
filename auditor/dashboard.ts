/** What `fl dashboard` does: keeps an index of tasks, and serves it with the pages that show it. */
import { join } from "node:path";
import { persist } from "../command/run.ts";
import { urlOf } from "../command/listen-address.ts";
import type { ListenAddress } from "../command/listen-address.ts";
import { nodeOptions } from "../command/options.ts";
import type { CommonFlags } from "../command/options.ts";
import { abortableSleep } from "../command/sleep.ts";
import type { TaskLook } from "../chain/task-chain.ts";
import { createGateway } from "../content/gateway.ts";
import { LOOPBACK_HOSTS } from "../content/http-form.ts";
import { openDatabase } from "../indexer/database/open-database.ts";
import { addApi } from "../indexer/api/serve-api.ts";
import { addIndexPages } from "../indexer/api/health.ts";
import { keepIndex } from "../indexer/keep-index.ts";
import type { Observations } from "../indexer/snapshot.ts";
import { isVerisumError } from "../protocol/errors.ts";
import { limitedReporter } from "../protocol/limited-reporter.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { Hex } from "../protocol/transcript.ts";
import { listenAt } from "../task/endpoint.ts";
import { keysOrigin } from "../task/keys-origin.ts";
import { openReadingNode } from "../task/node.ts";
import type { ReadingNode } from "../task/node.ts";
import { contentOf } from "./dashboard-content.ts";
import { addDashboardPages } from "./bundled-pages.ts";
import type { ServedBy } from "./bundled-pages.ts";
import { presentOf, verifiedKeys } from "./present.ts";

export interface DashboardFlags extends Omit<CommonFlags, "contract"> {
  readonly contract: readonly Hex[];
  readonly listen: ListenAddress;
  /** `postgres://…`, or a file of SQLite; inside the state directory if absent. */
  readonly database?: string;
  /** Who runs it, which the pages say; the reader unless told. */
  readonly servedBy?: ServedBy;
}

/** Serves until it is stopped. @throws LISTEN_FAILED, DATABASE_*, INTERRUPTED, what opening a node throws */
export async function showDashboard(flags: DashboardFlags, reporter: Reporter, signal: AbortSignal): Promise<never> {
  const options = nodeOptions({ ...flags, contract: flags.contract[0]! }, "dashboard");
  const now = (): number => Math.floor(Date.now() / 1000);
  const sleep = abortableSleep(signal);
  const database = await openDatabase(flags.database ?? join(options.stateDirectory, "index.sqlite"));
  const nodes: ReadingNode[] = [];
  const app = createGateway({
    store: contentOf(nodes, database),
    authoriseUpload: async () => "a dashboard takes no uploads",
    allowedHosts: [...LOOPBACK_HOSTS, new URL(urlOf(flags.listen)).hostname],
    reporter: limitedReporter(reporter, () => performance.now()),
  });
  addApi(app, { database, now });
  await addDashboardPages(app, flags.servedBy === undefined ? {} : { servedBy: flags.servedBy });
  addIndexPages(app, { database, now, tasks: flags.contract.length });
  try {
    await listenAt(app, flags.listen);
    reporter.say("good", "dashboard", `dashboard at ${urlOf(flags.listen)}/`, { url: urlOf(flags.listen) });
    const keep = async (contract: Hex): Promise<never> => {
      const stateDirectory =
        flags.contract.length === 1 ? options.stateDirectory : join(options.stateDirectory, contract);
      const open = (): Promise<ReadingNode> =>
        openReadingNode({ ...options, contract, stateDirectory }, reporter, signal);
      const node = await persist(open, reporter, sleep);
      nodes.push(node);
      return keepIndex({ database, node, observe: observer(node), pollMs: flags.pollMs, reporter, now });
    };
    return await Promise.race(flags.contract.map(keep));
  } finally {
    await app.close();
    await Promise.all(nodes.map((node) => node.close()));
    await database.close();
  }
}

/** Who is waited for, and where the keys come from. */
function observer(node: ReadingNode): (look: TaskLook) => Promise<Observations> {
  return async (look) => {
    const [{ round, gateways, said, parties }, keys] = await Promise.all([
      presentOf(node, look),
      keysOrigin(node.task, verifiedKeys(node)).catch(unknownKeys),
    ]);
    return {
      ...{ keys: { ...keys, contributors: [...keys.contributors] }, round, gateways, parties: [...parties] },
      attested: said.attestations(round.number, round.intake).length,
      released: said.releases(round.number, round.settlement).length,
    };
  };
}

function unknownKeys(error: unknown): Observations["keys"] {
  if (!isVerisumError(error) || error.entry.about === "host") throw error;
  return { state: "unknown", contributors: [], says: `nothing is known of the keys: ${error.message}` };
}
