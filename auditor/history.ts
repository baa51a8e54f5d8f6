/** What `fl history` does: a task's models, each with the one that it was made from, and what was claimed of it. */
import { nodeOptions } from "../command/options.ts";
import type { CommonFlags } from "../command/options.ts";
import { cidFromDigest } from "../content/cid.ts";
import type { RoundRecords } from "../chain/task-chain.ts";
import { bitIndexes } from "../protocol/committee.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { claimsText, loadCheckpointConfig } from "../task/checkpoint.ts";
import type { CheckpointConfig, Metrics } from "../task/checkpoint.ts";
import { openReadingNode } from "../task/node.ts";
import type { OpenTask } from "../task/opened-task.ts";
import { requireOpened, requireSettled } from "../task/round-records.ts";
import { isLost } from "./find-aggregate.ts";
import { genesisOf } from "./last-model.ts";

interface HistoricModel {
  /** 0 for the genesis. */
  readonly round: string;
  readonly model: string;
  /** The model that the round started from, as the chain has it; null for the genesis. */
  readonly parent: string | null;
  readonly clients: number;
  readonly totalWeight: number;
  /** Null if the aggregator claims nothing; absent if nobody has the checkpoint any more. */
  readonly claimed?: Metrics | null;
  /** Spent up to this model; null without privacy. */
  readonly epsilon?: number | null;
}

/** @throws what opening a node throws; CHAIN_EVENTS_MISSING, CHECKPOINT_INVALID */
export async function showHistory(flags: CommonFlags, reporter: Reporter, signal: AbortSignal): Promise<void> {
  const node = await openReadingNode(nodeOptions(flags, "reader"), reporter, signal);
  try {
    const models = await historyOf(node.task);
    process.stdout.write(
      flags.format === "json"
        ? `${JSON.stringify({ schemaVersion: 1, status: "ok", data: { task: node.task.document.name, models } })}\n`
        : `${models.map(lineOf).join("\n")}\n`,
    );
  } finally {
    await node.close();
  }
}

/** First to last. */
async function historyOf(task: OpenTask): Promise<readonly HistoricModel[]> {
  const genesis = genesisOf(task);
  const models: HistoricModel[] = [
    {
      round: "0",
      model: cidFromDigest(genesis.cid),
      parent: null,
      clients: 0,
      totalWeight: 0,
      ...(await saidOf(task, genesis.cid)),
    },
  ];
  for (const round of await task.chain.finalisedRoundNumbers()) {
    const records = await task.chain.records(round);
    if (records.finalised !== undefined)
      models.push(await modelOf(task, round, records, records.finalised.result.modelCid));
  }
  return models;
}

async function modelOf(
  task: OpenTask,
  round: bigint,
  records: RoundRecords,
  cid: CheckpointCid,
): Promise<HistoricModel> {
  const { included, totalWeight } = requireSettled(records);
  return {
    round: round.toString(),
    model: cidFromDigest(cid),
    parent: cidFromDigest(requireOpened(records).baseModelCid),
    ...{ clients: bitIndexes(included).length, totalWeight },
    ...(await saidOf(task, cid)),
  };
}

type CheckpointCid = Parameters<typeof loadCheckpointConfig>[1];

async function saidOf(task: OpenTask, cid: CheckpointCid): Promise<Pick<HistoricModel, "claimed" | "epsilon">> {
  const config: CheckpointConfig | undefined = await loadCheckpointConfig(
    task.store,
    cid,
    task.cells?.cells.length,
  ).catch((error: unknown) => {
    if (isLost(error)) return undefined;
    throw error;
  });
  return config === undefined ? {} : { claimed: config.metrics, epsilon: config.privacy?.epsilon ?? null };
}

function lineOf({ round, model, parent, clients, totalWeight, claimed, epsilon }: HistoricModel): string {
  const from = parent === null ? "the genesis" : `from ${parent} by ${clients} clients of weight ${totalWeight}`;
  const said =
    claimed === undefined ? ", whose checkpoint nobody has" : claimed === null ? "" : `; ${claimsText(claimed)}`;
  const spent = epsilon === undefined || epsilon === null ? "" : `; epsilon ${epsilon}`;
  return `round ${round.padEnd(4)} ${model} ${from}${said}${spent}`;
}
