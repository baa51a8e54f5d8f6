/** What a client says of an update before it is encoded: the trainer's numbers, and what the task's limits do to it. */
import { coordinateOffset, PRESETS } from "../protocol/parameters.ts";
import type { ModelState } from "../protocol/model.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { TaskDocument } from "../task/document.ts";
import { clipNormOf, stepScale } from "../task/model-vector.ts";
import { metricWords } from "./trainers/metric-words.ts";

/** @param update in units of the model's weights */
export function sayTrained(
  reporter: Reporter,
  round: bigint,
  metrics: Readonly<Record<string, number>>,
  update: Float32Array,
  document: Pick<TaskDocument, "quantisation" | "preset">,
  base: ModelState,
): void {
  const norm = Math.sqrt(update.reduce((sum, value) => sum + value * value, 0));
  const clipNorm = clipNormOf(document, base);
  const { steps, ...others } = metrics;
  const words = [
    steps === undefined ? "trained" : `trained ${steps} steps`,
    ...metricWords(others),
    `update norm ${rounded(norm)}${norm > clipNorm ? `, shortened to ${rounded(clipNorm)}` : ""}`,
  ];
  reporter.say("info", "trained", `round ${round}: ${words.join(", ")}`, { ...metrics, round, norm });
  const range = largestCoordinate(document, base);
  const kept = Math.min(1, clipNorm / norm);
  const cut = update.reduce((count, value) => count + Number(Math.abs(value) * kept > range), 0);
  if (cut > 0)
    reporter.say(
      "warn",
      "coordinates-cut",
      `round ${round}: ${cut} of ${update.length} coordinates moved by more than ${rounded(range)} and are cut there: the task's stepBits is too large for this training`,
      { round, cut },
    );
}

/** The most that an update can move a weight by. */
function largestCoordinate(document: Pick<TaskDocument, "quantisation" | "preset">, base: ModelState): number {
  const steps = coordinateOffset(PRESETS[document.preset]) - 1;
  return steps * 2 ** -document.quantisation.stepBits * stepScale(document, base);
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
