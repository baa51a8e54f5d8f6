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

export type Part = "test" | "train" | "all";

export interface PredictFlags extends CheckpointFlags {
  readonly data: string;
  readonly part: Part;
  readonly format: "csv" | "json";
  readonly out?: string;
}

/** An example's answer, as the model gives it. */
interface Row {
  readonly part: "train" | "test";
  /** Its place in the part, from 0. */
  readonly row: number;
  /** What the data says. */
  readonly answer: string | number;
  readonly prediction: string | number;
  /** Of each class in order; absent where the answer is a number. */
  readonly probabilities?: readonly number[];
}

/** @throws as reading the checkpoint and the data do; DATASET_MODEL_MISMATCH */
export async function predict(flags: PredictFlags, reporter: Reporter, signal: AbortSignal): Promise<void> {
  const checkpoint = usableCheckpoint(await readCheckpoint(flags, reporter, signal));
  const loaded = await loadDataset(flags.data, checkpoint.rules);
  const rows: Row[] = [];
  for (const part of partsOf(flags.part)) rows.push(...(await rowsOf(checkpoint, part, loaded[part])));
  const text = flags.format === "csv" ? csvOf(rows, classNamesOf(checkpoint)) : jsonOf(rows, checkpoint);
  if (flags.out === undefined) return void process.stdout.write(text);
  await writeFile(flags.out, text);
  reporter.say(
    "good",
    "predicted",
    `${rows.length} examples by the model of round ${checkpoint.config.round}, in ${flags.out}`,
  );
}

export function partsOf(part: Part): readonly ("train" | "test")[] {
  return part === "all" ? ["train", "test"] : [part];
}

/** Names of the classes, or their numbers; none where the answer is a number. */
export function classNamesOf({ config: { outputs } }: Pick<UsableCheckpoint, "config">): readonly string[] {
  if (outputs?.kind !== "classes") return [];
  return (outputs.names ?? Array.from({ length: outputs.count }, (_, i) => String(i))).map(plainText);
}

async function rowsOf(checkpoint: UsableCheckpoint, part: Row["part"], data: Dataset): Promise<Row[]> {
  const trainer = await createTrainer(checkpoint.description);
  const found = await trainer.predict(checkpoint.weights, data);
  const names = classNamesOf(checkpoint);
  const { targets, targetScaling: { mean, stdDev } = { mean: 0, stdDev: 1 } } = data;
  const width = found.length / data.exampleCount;
  return Array.from({ length: data.exampleCount }, (_, row) => {
    const values = found.subarray(row * width, (row + 1) * width);
    if (targets !== undefined)
      return { part, row, answer: mean + stdDev * targets[row]!, prediction: mean + stdDev * values[0]! };
    const label = data.labels[row]!;
    ensure(label < names.length, "DATASET_MODEL_MISMATCH", `the model has no class ${label}`);
    return { part, row, answer: names[label]!, prediction: names[largestIn(values)]!, probabilities: [...values] };
  });
}

function csvOf(rows: readonly Row[], names: readonly string[]): string {
  const lines = rows.map(({ part, row, answer, prediction, probabilities = [] }) => [
    part,
    row,
    answer,
    prediction,
    ...probabilities,
  ]);
  const header = ["part", "row", "answer", "prediction", ...names.map((name) => `probability of ${name}`)];
  return [header, ...lines].map((cells) => `${cells.map(csvCell).join(",")}\n`).join("");
}

function jsonOf(rows: readonly Row[], { cid, config }: UsableCheckpoint): string {
  const data = { checkpoint: cid, round: config.round, outputs: config.outputs, predictions: rows };
  return `${JSON.stringify({ schemaVersion: 1, status: "ok", data })}\n`;
}
