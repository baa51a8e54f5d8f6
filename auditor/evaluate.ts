/** What `fl evaluate` does. */
import { calibrationOf } from "../learning/calibration.ts";
import type { Calibration } from "../learning/calibration.ts";
import { classFigures } from "../learning/class-report.ts";
import type { ClassFigures } from "../learning/class-report.ts";
import { loadDataset } from "../learning/dataset.ts";
import { evaluationText } from "../learning/evaluation.ts";
import type { Evaluation } from "../learning/evaluation.ts";
import { createTrainer } from "../learning/trainer.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { claimsText } from "../task/checkpoint.ts";
import type { Metrics } from "../task/checkpoint.ts";
import { classNamesOf } from "./predict.ts";
import { readCheckpoint, usableCheckpoint } from "./read-checkpoint.ts";
import type { CheckpointFlags } from "./read-checkpoint.ts";

export interface EvaluateFlags extends CheckpointFlags {
  readonly data: string;
  readonly part: "test" | "train";
  readonly format: "text" | "json";
}

interface Report {
  readonly checkpoint: string;
  readonly round: number;
  readonly part: "test" | "train";
  readonly samples: number;
  readonly evaluation: Evaluation;
  /** By class, where the model answers with classes. */
  readonly classes?: readonly (ClassFigures & { readonly name: string })[];
  readonly calibration?: Calibration;
  /** Of the aggregator, on its own data; null if nothing is. */
  readonly claimed: Metrics | null;
}

/** @throws as reading the checkpoint and the data do; DATASET_MODEL_MISMATCH */
export async function evaluate(flags: EvaluateFlags, reporter: Reporter, signal: AbortSignal): Promise<void> {
  const report = await reportOf(flags, reporter, signal);
  process.stdout.write(
    flags.format === "json"
      ? `${JSON.stringify({ schemaVersion: 1, status: "ok", data: report })}\n`
      : `${linesOf(report).join("\n")}\n`,
  );
}

async function reportOf(flags: EvaluateFlags, reporter: Reporter, signal: AbortSignal): Promise<Report> {
  const checkpoint = usableCheckpoint(await readCheckpoint(flags, reporter, signal));
  const { cid, config, description, weights, rules } = checkpoint;
  const data = (await loadDataset(flags.data, rules))[flags.part];
  const trainer = await createTrainer(description);
  const report = {
    ...{ checkpoint: cid, round: config.round, part: flags.part, samples: data.exampleCount },
    evaluation: await trainer.evaluate(weights, data),
    claimed: config.metrics,
  };
  if (data.targets !== undefined) return report;
  const names = classNamesOf(checkpoint);
  const probabilities = await trainer.predict(weights, data);
  return {
    ...report,
    classes: classFigures(probabilities, data.labels, names.length).map((figures, i) => ({
      name: names[i]!,
      ...figures,
    })),
    calibration: calibrationOf(probabilities, data.labels, names.length),
  };
}

function linesOf({
  checkpoint,
  round,
  part,
  samples,
  evaluation,
  classes = [],
  calibration,
  claimed,
}: Report): string[] {
  const said = claimed === null ? [] : [`claimed         ${claimsText(claimed)}, of ${claimed.samples} examples`];
  return [
    `checkpoint      ${checkpoint}, round ${round}`,
    `data            ${samples} ${part === "test" ? "test" : "training"} examples`,
    `result          ${evaluationText(evaluation)}`,
    `loss            ${evaluation.loss.toFixed(4)}`,
    ...said,
    ...(calibration === undefined
      ? []
      : [
          `calibration     expected error ${percent(calibration.expectedCalibrationError)}, Brier score ${calibration.brierScore.toFixed(4)}`,
        ]),
    ...(classes.length === 0 ? [] : ["", "class                     examples  precision  recall      F1"]),
    ...classes.map(
      ({ name, examples, precision, recall, f1 }) =>
        `${name.padEnd(24)} ${String(examples).padStart(9)} ${percent(precision).padStart(10)} ${percent(recall).padStart(7)} ${percent(f1).padStart(7)}`,
    ),
  ];
}

function percent(share: number | null): string {
  return share === null ? "–" : `${(share * 100).toFixed(1)} %`;
}
