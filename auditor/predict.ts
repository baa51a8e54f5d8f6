/** What `fl predict` does. */
import { writeFile } from "node:fs/promises";
import { plainText } from "../content/report.ts";
import { csvCell } from "../indexer/api/csv.ts";
import { largestIn } from "../learning/calibration.ts";
import { loadDataset } from "../learning/dataset.ts";
import type { Dataset } from "../learning/examples.ts";
import { createTrainer } from "../learning/trainer.ts";
import { ensure } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { readCheckpoint, usableCheckpoint } from "./read-checkpoint.ts";
import type { CheckpointFlags, UsableCheckpoint } from "./read-checkpoint.ts";

type Part = "test" | "train" | "all";

export interface PredictFlags extends CheckpointFlags {
  readonly data: string;
  /** Of the split; every row of the data, unsplit, if absent. */
  readonly part?: Part;
  readonly format: "csv" | "json";
  readonly out?: string;
}

/** An example's answer, as the model gives it. */
interface Row {
  /** Absent where the data is one table that nothing was split off. */
  readonly part?: "train" | "test";
  /** Of a table: where refusals would place it, the line of a text file, else the row; of other data the place in the
   * part. From 1. */
  readonly row: number;
  /** What the data says; absent where it says nothing. */
  readonly answer?: string | number;
  readonly prediction: string | number;
  /** Of each class in order; absent where the answer is a number. */
  readonly probabilities?: readonly number[];
}

/** @throws as reading the checkpoint and the data do; DATASET_MODEL_MISMATCH */
export async function predict(flags: PredictFlags, reporter: Reporter, signal: AbortSignal): Promise<void> {
  const checkpoint = usableCheckpoint(await readCheckpoint(flags, reporter, signal));
  const use = flags.part === undefined ? "answering" : "answering-a-part";
  const loaded = await loadDataset(flags.data, checkpoint.rules, undefined, use);
  const parts = partsOf(flags.part ?? "all").filter((part) => loaded[part].exampleCount > 0);
  const rows: Row[] = [];
  for (const part of parts)
    for (const row of await rowsOf(checkpoint, loaded[part]))
      rows.push(loaded.isWhole === true ? row : { part, ...row });
  const hasAnswers = parts.some((part) => loaded[part].isUnanswered !== true);
  const text = flags.format === "csv" ? csvOf(rows, classNamesOf(checkpoint), hasAnswers) : jsonOf(rows, checkpoint);
  if (flags.out === undefined) return void process.stdout.write(text);
  await writeFile(flags.out, text);
  reporter.say(
    "good",
    "predicted",
    `${rows.length} examples by the model of round ${checkpoint.config.round}, in ${flags.out}`,
  );
}

function partsOf(part: Part): readonly ("train" | "test")[] {
  return part === "all" ? ["train", "test"] : [part];
}

/** Names of the classes, or their numbers; none where the answer is a number. */
export function classNamesOf({ config: { outputs } }: Pick<UsableCheckpoint, "config">): readonly string[] {
  if (outputs?.kind !== "classes") return [];
  return (outputs.names ?? Array.from({ length: outputs.count }, (_, i) => String(i))).map(plainText);
}

async function rowsOf(checkpoint: UsableCheckpoint, data: Dataset): Promise<Row[]> {
  const trainer = await createTrainer(checkpoint.description);
  const found = await trainer.predict(checkpoint.weights, data);
  const names = classNamesOf(checkpoint);
  const { targets } = data;
  const { mean, stdDev } = data.targetScaling ?? targetScalingOf(checkpoint);
  const width = found.length / data.exampleCount;
  return Array.from({ length: data.exampleCount }, (_, i) => {
    const row = data.rows?.[i] ?? i + 1;
    const values = found.subarray(i * width, (i + 1) * width);
    if (names.length === 0) {
      const prediction = mean + stdDev * values[0]!;
      const answer = mean + stdDev * (targets?.[i] ?? NaN);
      return Number.isNaN(answer) ? { row, prediction } : { row, answer, prediction };
    }
    const label = data.isUnanswered === true ? -1 : data.labels[i]!;
    ensure(label < names.length, "DATASET_MODEL_MISMATCH", `the model has no class ${label}`);
    const answered = { prediction: names[largestIn(values)]!, probabilities: [...values] };
    return label < 0 ? { row, ...answered } : { row, answer: names[label]!, ...answered };
  });
}

/** By which constants the model's numbers are scaled. */
function targetScalingOf({ rules }: UsableCheckpoint): { readonly mean: number; readonly stdDev: number } {
  const target = rules !== undefined && "columns" in rules ? rules.target : undefined;
  return target ?? { mean: 0, stdDev: 1 };
}

function csvOf(rows: readonly Row[], names: readonly string[], hasAnswers: boolean): string {
  const hasParts = rows.some(({ part }) => part !== undefined);
  const lines = rows.map(({ part = "", row, answer = "", prediction, probabilities = [] }) => [
    ...(hasParts ? [part] : []),
    row,
    ...(hasAnswers ? [answer] : []),
    prediction,
    ...probabilities,
  ]);
  const header = [
    ...(hasParts ? ["part"] : []),
    "row",
    ...(hasAnswers ? ["answer"] : []),
    "prediction",
    ...names.map((name) => `probability of ${name}`),
  ];
  return [header, ...lines].map((cells) => `${cells.map(csvCell).join(",")}\n`).join("");
}

function jsonOf(rows: readonly Row[], { cid, config }: UsableCheckpoint): string {
  const data = { checkpoint: cid, round: config.round, outputs: config.outputs, predictions: rows };
  return `${JSON.stringify({ schemaVersion: 1, status: "ok", data })}\n`;
}
