/**
 * What a wrong clip norm costs with client-level privacy, and what is left of it where the clip norm follows the
 * clients' votes: the rounds of a task whose clip norm is right, eight times too small and eight times too large, fixed
 * and adaptive. Simulated as in client-level.ts.
 *
 *   node experiments/privacy/adaptive-clip.ts --task tasks/digits-cohort.json --data digits --clients 100 --seeds 8
 */
import { writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { positiveInteger } from "../../command/options.ts";
import { createProgram } from "../../command/program.ts";
import { dataRulesOf } from "../../learning/preprocessing.ts";
import { loadDataset } from "../../learning/dataset.ts";
import { partitionIid } from "../../learning/partition.ts";
import { classEvaluation } from "../../learning/evaluation.ts";
import { createTrainer } from "../../learning/trainer.ts";
import { parseSpecification } from "../../task/create-task.ts";
import type { TaskSpecification } from "../../task/create-task.ts";
import type { AdaptiveClip } from "../../protocol/clip-level.ts";
import { readSpecification } from "../../operator/read-specification.ts";
import { runFederation } from "../../demo/federation.ts";
import { repeatableBytes } from "./repeatable-bytes.ts";

const OUTPUT = fileURLToPath(new URL("../../docs/data/privacy-clip.json", import.meta.url));
const FIRST_SEED = 7;
/** By how many octaves the document's clip norm is wrong. */
const OFFSETS = [-3, 0, 3] as const;
/** Of the clip norm, a client's vote. */
const VOTE_SHARE = 0.25;

/** One point: a clip norm to start from, fixed or adaptive. */
export interface ClipRow {
  readonly task: string;
  readonly data: string;
  readonly clients: number;
  readonly epsilon: number;
  /** The document's clip norm over the tuned one, in octaves. */
  readonly offsetOctaves: number;
  readonly adaptive: AdaptiveClip | null;
  /** Of the last round, over the seeds. */
  readonly clipNorms: readonly number[];
  /** After the last round, over the seeds. */
  readonly accuracies: readonly number[];
  readonly command: string;
}

interface Flags {
  readonly task: string;
  readonly data: string;
  readonly clients: number;
  readonly seeds: number;
  readonly out: string;
}

const flags = (
  await createProgram("adaptive-clip", "what an adaptive clip norm makes of a wrong one")
    .requiredOption("--task <file>", "the task's specification")
    .requiredOption("--data <spec>", "as for the client, without a shard")
    .requiredOption("--clients <n>", "shards of the data", positiveInteger)
    .option("--seeds <n>", "partitions", positiveInteger, 8)
    .option("--out <file>", "where the rows are kept", OUTPUT)
    .parseAsync()
).opts<Flags>();

const json = (await readSpecification(flags.task)) as {
  readonly document: { readonly quantisation: { readonly stepBits: number; readonly clipSteps: number } };
  readonly privacyTarget: { readonly epsilon: number };
};
const { document: asked } = parseSpecification(json);
const { train, test } = await loadDataset(flags.data, dataRulesOf(asked));
const { clients } = flags;
const seeds = Array.from({ length: flags.seeds }, (_, i) => FIRST_SEED + i);
const { stepBits, clipSteps } = json.document.quantisation;
const follows: AdaptiveClip = {
  quantile: { numerator: 1, denominatorBits: 1 },
  octavesPerRound: { numerator: 1, denominatorBits: 0 },
  maxOctaves: 4,
  voteSteps: Math.round(clipSteps * VOTE_SHARE),
};

const rows: ClipRow[] = [];
for (const offsetOctaves of OFFSETS) {
  for (const adaptive of [null, follows]) {
    const quantisation = { stepBits: stepBits - offsetOctaves, clipSteps, ...(adaptive === null ? {} : { adaptive }) };
    const specification = parseSpecification({ ...json, document: { ...json.document, quantisation } });
    const runs = [];
    for (const seed of seeds) runs.push(await lastRound(specification, seed));
    const row = {
      task: specification.document.name,
      data: basename(flags.data),
      clients,
      epsilon: json.privacyTarget.epsilon,
      offsetOctaves,
      adaptive,
      clipNorms: runs.map(({ clipNorm }) => clipNorm),
      accuracies: runs.map(({ accuracy }) => accuracy),
      command: `node experiments/privacy/adaptive-clip.ts --task tasks/${specification.document.name}.json --data ${basename(flags.data)} --clients ${clients} --seeds ${seeds.length}`,
    };
    rows.push(row);
    process.stdout.write(
      `${offsetOctaves} octaves off, ${adaptive === null ? "fixed" : "adaptive"}: ${row.accuracies.map((share) => (share * 100).toFixed(1)).join(" ")} %, clip norm ${row.clipNorms.map((norm) => norm.toPrecision(2)).join(" ")}\n`,
    );
  }
}
await writeFile(flags.out, `${JSON.stringify(rows, null, 2)}\n`);

async function lastRound(
  specification: TaskSpecification,
  seed: number,
): Promise<{ readonly clipNorm: number; readonly accuracy: number }> {
  const results = await runFederation(specification, specification.maxRounds, {
    trainer: await createTrainer(specification.document.model),
    shards: partitionIid(train, clients, seed),
    test,
    random: repeatableBytes(`adaptive clip ${clients} ${seed}`),
    onRound: () => undefined,
  });
  const { clipNorm, evaluation } = results.at(-1)!;
  return { clipNorm, accuracy: classEvaluation(evaluation).accuracy };
}
