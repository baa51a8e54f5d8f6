/** Rounds that close at a goal, and take updates of older models (docs/protocol.md, section 6.4). */
import type { RoundState } from "../chain/task-chain.ts";
import { isStatistics } from "../learning/statistics/statistics-model.ts";
import { ensure } from "../protocol/errors.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { TaskDocument } from "./document.ts";

/**
 * An operator asks this of a specification, everybody else of what was deployed.
 * @throws the code, naming what does not go together
 */
export function assertBufferable(
  { model, training, quantisation, cells }: Pick<TaskDocument, "model" | "training" | "quantisation" | "cells">,
  { bufferGoal, maxStaleness }: Pick<TaskParameters, "bufferGoal" | "maxStaleness">,
  code: "TASK_SPECIFICATION_INVALID" | "TASK_DOCUMENT_INVALID",
): void {
  const needs = (isMet: boolean, what: string): void => ensure(isMet, code, what);
  needs(
    training.staleness === undefined || maxStaleness > 0,
    "document.training.staleness is of tasks with rounds.maxStaleness above 0: no other update is stale",
  );
  if (bufferGoal === 0) return;
  needs(
    cells === undefined,
    "cells keep step by rounds that wait for everybody: rounds.bufferGoal has no place in a group",
  );
  needs(
    !isStatistics(model),
    "a task of statistics sums everybody's table once: rounds.bufferGoal would leave some out",
  );
  needs(
    quantisation.adaptive === undefined || maxStaleness === 0,
    "document.quantisation.adaptive measures all updates of a round in steps of one model: rounds.maxStaleness has to be 0",
  );
}

export function isBuffer({ bufferGoal }: Pick<TaskParameters, "bufferGoal">): boolean {
  return bufferGoal > 0;
}

/** How far a collecting round is, in words. */
export function intakeText(
  parameters: Pick<TaskParameters, "bufferGoal">,
  { submitted, expected }: Pick<RoundState, "submitted" | "expected">,
): string {
  return isBuffer(parameters) ? `${submitted} of goal ${expected} are in` : `${submitted}/${expected} clients are in`;
}

/** Registered clients without which no round opens. */
export function clientsNeeded({
  minClients,
  bufferGoal,
  minSeparation,
}: Pick<TaskParameters, "minClients" | "bufferGoal" | "minSeparation">): number {
  return Math.max(minClients, bufferGoal * minSeparation);
}
