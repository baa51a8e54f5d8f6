/**
 * Samples a second in training, private training and inference, by model and backend, one thread each.
 *
 *   node experiments/bench/training.ts                  all models on wasm, the small ones on cpu too
 *   node experiments/bench/training.ts --json rows.json
 */
import { randomFillSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { positiveInteger } from "../../command/options.ts";
import { createProgram } from "../../command/program.ts";
import Table from "cli-table3";
import type { BackendChoice } from "../../learning/backend.ts";
import type { Dataset } from "../../learning/examples.ts";
import { FASHION_CNN } from "../../learning/model.ts";
import type { ModelDescription } from "../../learning/model.ts";
import { seededStream } from "../../learning/seeded-stream.ts";
import { createTrainer } from "../../learning/trainer.ts";
import type { Trainer } from "../../learning/trainer.ts";
import type { TrainOptions } from "../../learning/trainers/training-method.ts";
import { median } from "./statistics.ts";

/** Rates in samples a second of processor time, medians of `repeats` runs. */
export interface TrainingRow {
  readonly model: string;
  readonly parameters: number;
  readonly backend: string;
  readonly samplesPerSecond: number;
  readonly inferencePerSecond: number;
  /** Example-level DP-SGD, noise included, batches of PRIVATE_BATCH. */
  readonly privateSamplesPerSecond: number;
  /** Plain over private: how much longer a sample takes. */
  readonly privateCost: number;
}

interface Subject {
  readonly name: string;
  readonly description: ModelDescription;
  readonly backends: readonly BackendChoice[];
  /** Rows of one timed run; the slow models get fewer. */
  readonly rows: number;
}

const SUBJECTS: readonly Subject[] = [
  {
    name: "linear 490-10",
    description: { kind: "mlp", inputShape: [490], hidden: [], classCount: 10 },
    backends: ["wasm", "cpu"],
    rows: 4800,
  },
  {
    name: "MLP 64-32-10",
    description: { kind: "mlp", inputShape: [64], hidden: [32], classCount: 10 },
    backends: ["wasm", "cpu"],
    rows: 4800,
  },
  {
    name: "MLP 784-64-10",
    description: { kind: "mlp", inputShape: [784], hidden: [64], classCount: 10 },
    backends: ["wasm", "cpu"],
    rows: 2400,
  },
  { name: "CNN 32-64-128-10", description: FASHION_CNN, backends: ["wasm"], rows: 256 },
];
const PLAIN: TrainOptions = { learningRate: 0.001, momentum: 0.9, batchSize: 16, localEpochs: 1, seed: 1 };
/** Mean size of a private batch: the noise of a step is drawn once, so small batches cost more a sample. */
const PRIVATE_BATCH = 600;
const CNN_PRIVATE_BATCH = 128;

/**
 * Measures each model on each of its backends; plain, private and inference take turns, so that all see the same load.
 */
export async function measureTraining(
  repeats: number,
  onRow: (row: TrainingRow) => void = () => undefined,
): Promise<TrainingRow[]> {
  const rows: TrainingRow[] = [];
  for (const { name, description, backends, rows: count } of SUBJECTS) {
    for (const backend of backends) {
      const trainer = await createTrainer(description, { backend });
      const row = {
        model: name,
        parameters: trainer.parameterCount,
        backend: trainer.backend,
        ...(await ratesOf(trainer, sampleData(description, count), repeats)),
      };
      rows.push(row);
      onRow(row);
    }
  }
  return rows;
}

async function ratesOf(
  trainer: Trainer,
  data: Dataset,
  repeats: number,
): Promise<Omit<TrainingRow, "model" | "parameters" | "backend">> {
  const weights = trainer.initialWeights(1);
  const batch = data.exampleCount < PRIVATE_BATCH ? CNN_PRIVATE_BATCH : PRIVATE_BATCH;
  const privateSteps = Math.max(1, Math.round(data.exampleCount / batch));
  const privacy = {
    clipNorm: 1,
    noiseMultiplier: 3,
    samplingRate: batch / data.exampleCount,
    steps: privateSteps,
    random: (length: number) => randomFillSync(new Uint8Array(length)),
  };
  const runs = {
    plain: () => trainer.train(weights, data, PLAIN).then(() => data.exampleCount),
    inference: () => trainer.evaluate(weights, data).then(() => data.exampleCount),
    private: () =>
      trainer.train(weights, data, { ...PLAIN, batchSize: batch, privacy }).then(() => batch * privateSteps),
  };
  const rates = { plain: [] as number[], inference: [] as number[], private: [] as number[] };
  // The first run warms up and is not counted.
  for (let run = 0; run <= repeats; run++) {
    for (const kind of ["plain", "inference", "private"] as const) {
      const before = process.cpuUsage();
      const samples = await runs[kind]();
      const { user, system } = process.cpuUsage(before);
      if (run > 0) rates[kind].push((samples * 1e6) / (user + system));
    }
  }
  const [samplesPerSecond, inferencePerSecond, privateSamplesPerSecond] = [
    median(rates.plain),
    median(rates.inference),
    median(rates.private),
  ];
  return {
    samplesPerSecond: Math.round(samplesPerSecond),
    inferencePerSecond: Math.round(inferencePerSecond),
    privateSamplesPerSecond: Math.round(privateSamplesPerSecond),
    privateCost: Number((samplesPerSecond / privateSamplesPerSecond).toFixed(2)),
  };
}

/** Random features of the model's shape, half of them zero as in images, with random labels. */
function sampleData({ inputShape, classCount = 2 }: ModelDescription, exampleCount: number): Dataset {
  const stream = seededStream("bench-training", 1);
  const size = inputShape.reduce((product, side) => product * side, 1);
  const features = Float32Array.from({ length: size * exampleCount }, () => Math.max(0, stream.uniform() - 0.5));
  return {
    features,
    labels: Int32Array.from({ length: exampleCount }, () => stream.below(classCount)),
    exampleCount,
    featureShape: inputShape,
    classCount,
  };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const program = createProgram("training", "examples a second, plainly and privately")
    .option("--repeats <n>", "timed runs", positiveInteger, 3)
    .option("--json <file>", "write the rows as JSON");
  const values = (await program.parseAsync()).opts<{ readonly repeats: number; readonly json?: string }>();
  const rows = await measureTraining(values.repeats, ({ model, backend }) =>
    process.stderr.write(`measured ${model} on ${backend}\n`),
  );
  const table = new Table({
    head: ["model", "parameters", "backend", "training /s", "inference /s", "private /s", "plain : private"],
    style: { head: [], border: [] },
  });
  for (const row of rows)
    table.push([
      row.model,
      row.parameters,
      row.backend,
      row.samplesPerSecond,
      row.inferencePerSecond,
      row.privateSamplesPerSecond,
      row.privateCost,
    ]);
  process.stdout.write(`${table.toString()}\n`);
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, null, 2)}\n`);
}
