/** What a program that takes part in a task imports, as `verisum/client`. */
export { platformRandom } from "../command/platform-random.ts";
export { createReporter } from "../command/reporter.ts";
export { weightsOf } from "../task/model-vector.ts";
export type { OpenTask } from "../task/opened-task.ts";
export type { RoleDependencies } from "../task/role.ts";
export { standardDependencies } from "../task/standard-dependencies.ts";
export { joinTask } from "./join.ts";
export type { JoinOptions, Participation } from "./join.ts";
export type { RoundEvaluator, RoundTrainer, TrainedTensors, TrainingResult, TrainingRound } from "./round-trainer.ts";
export type { LocalLearner } from "./make-submission.ts";
