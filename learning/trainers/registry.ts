/** Every way of training. To add one: a file beside this one, and its entry here. */
import { VerisumError } from "../../protocol/errors.ts";
import { dpSgd } from "./dp-sgd.ts";
import { sgd } from "./sgd.ts";
import type { TrainingMethod, TrainOptions } from "./training-method.ts";

export const TRAINING_METHODS: readonly TrainingMethod[] = [sgd, dpSgd];

/** The one method that the options ask for. @throws TRAINING_OPTIONS_INVALID if none or several take them */
export function methodFor(options: TrainOptions, methods = TRAINING_METHODS): TrainingMethod {
  const [method, ...others] = methods.filter(({ takes }) => takes(options));
  if (method === undefined || others.length > 0)
    throw new VerisumError("TRAINING_OPTIONS_INVALID", "the options do not ask for exactly one way of training");
  return method;
}
