/** Which tasks a trainer of somebody else may train for. */
import { ENSEMBLE_PRIVACY, isEnsemble } from "../learning/ensemble.ts";
import { isExternal } from "../learning/external-model.ts";
import { ensure } from "../protocol/errors.ts";
import type { TaskDocument } from "./document.ts";
import { mechanismOf } from "./mechanisms/registry.ts";

/**
 * A guarantee that rests on what training does cannot be given where nobody sees the training.
 * @throws TRAINER_PRIVACY_UNCHECKED
 */
export function requireOutsideTraining({ training }: Pick<TaskDocument, "training">): void {
  ensure(
    !mechanismOf(training.privacy).byTraining,
    "TRAINER_PRIVACY_UNCHECKED",
    "the task protects single records by noise in the training, which an external trainer is not known to add",
  );
}

/**
 * The same of a task whose model leaves no other way to train.
 * @throws TRAINER_PRIVACY_UNCHECKED; PRIVACY_PARAMETERS_INVALID of an ensemble that is to protect single records
 */
export function assertTrainable(document: Pick<TaskDocument, "training" | "model">): void {
  const byTraining = mechanismOf(document.training.privacy).byTraining;
  ensure(!byTraining || !isEnsemble(document.model), "PRIVACY_PARAMETERS_INVALID", ENSEMBLE_PRIVACY);
  if (isExternal(document.model)) requireOutsideTraining(document);
}
