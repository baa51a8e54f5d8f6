/** Rules of a task that sums statistics, and what its one round says. */
import { isStatistics, layoutOf, parseStatistics } from "../learning/statistics/statistics-model.ts";
import { summaryOf } from "../learning/statistics/summary.ts";
import type { StatisticsSummary } from "../learning/statistics/summary.ts";
import { ensure } from "../protocol/errors.ts";
import type { ModelState } from "../protocol/model.ts";
import { coordinateOffset, PRESETS } from "../protocol/parameters.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { TaskDocument } from "./document.ts";
import { mechanismOf } from "./mechanisms/registry.ts";

/** Bits after the point of the mean that the model keeps: a sum of fewer than 2^20 clients follows from it exactly. */
const FRACTIONAL_BITS = 20;
const FEWEST_HONEST = 2;

/**
 * Sums are exact, of nobody's table alone, and taken once: the difference of two rounds may be one client's table. An
 * operator asks this of a specification, everybody else of what was deployed.
 * @throws the code; MODEL_DESCRIPTION_INVALID
 */
export function assertSummable(
  document: Pick<
    TaskDocument,
    "preset" | "model" | "training" | "quantisation" | "server" | "data" | "preprocessing" | "cells"
  >,
  { minHonest, maxRounds }: Pick<TaskParameters, "minHonest" | "maxRounds">,
  code: "TASK_SPECIFICATION_INVALID" | "TASK_DOCUMENT_INVALID",
): void {
  if (!isStatistics(document.model)) return;
  const model = parseStatistics(document.model);
  const { largestNorm } = layoutOf(model);
  const { digitBits } = model;
  const { quantisation, server, training } = document;
  const needs = (isMet: boolean, what: string): void => ensure(isMet, code, `a task of statistics needs ${what}`);
  needs(minHonest >= FEWEST_HONEST, `clients.minHonest of at least ${FEWEST_HONEST}: one client's sum is its table's`);
  needs(maxRounds === 1, "maxRounds 1: the difference of two rounds' sums may be one client's");
  needs(
    2 ** digitBits <= coordinateOffset(PRESETS[document.preset]),
    `model.digitBits that fit the preset's coordinates, which hold ${coordinateOffset(PRESETS[document.preset]) - 1}`,
  );
  needs(quantisation.stepBits === 0, "quantisation.stepBits 0: its coordinates are whole numbers");
  needs(quantisation.adaptive === undefined, "no adaptive clip norm");
  needs(
    quantisation.clipSteps >= largestNorm,
    `quantisation.clipSteps of at least ${largestNorm}, so that no table is clipped`,
  );
  needs(
    server.rule === undefined &&
      server.fractionalBits === FRACTIONAL_BITS &&
      server.learningRate.numerator === 1 &&
      server.learningRate.denominatorBits === 0 &&
      server.momentum.numerator === 0,
    `the server's fractionalBits ${FRACTIONAL_BITS}, learningRate 1 and momentum 0, from which sums follow exactly`,
  );
  needs(
    document.data === undefined && document.preprocessing === undefined,
    "neither document.data nor document.preprocessing: model.columns says what is read",
  );
  needs(
    document.cells === undefined,
    "one contract: the model of a group of cells is not the mean of one cell's clients",
  );
  needs(!mechanismOf(training.privacy).byTraining, "noise by client, if any");
}

/** Whether every client of the task weighs 1: where each is protected as a whole, and where each is counted. */
export const countsClientsAlike = ({ model, training }: Pick<TaskDocument, "model" | "training">): boolean =>
  isStatistics(model) || mechanismOf(training.privacy).uniformWeights;

/**
 * The statistics that a round's model holds.
 * @param totalWeight of its clients
 * @throws MODEL_DESCRIPTION_INVALID if the task is another one; PARAMETERS_INVALID if clients had other weights than 1
 */
export function statisticsIn(
  { model, training }: Pick<TaskDocument, "model" | "training">,
  { weights }: Pick<ModelState, "weights">,
  { clients, totalWeight }: { readonly clients: number; readonly totalWeight: number },
): StatisticsSummary {
  const statistics = parseStatistics(model);
  ensure(
    totalWeight === clients && clients < 2 ** FRACTIONAL_BITS,
    "PARAMETERS_INVALID",
    `statistics count every client once, and here ${clients} clients have the weight ${totalWeight}`,
    { clients, totalWeight },
  );
  const sums = weights.map((mean) => Math.round((mean * totalWeight) / 2 ** FRACTIONAL_BITS));
  const { addedVariance } = mechanismOf(training.privacy);
  return summaryOf(statistics, sums, { clients, noiseStdDev: Math.sqrt(addedVariance * clients) });
}
