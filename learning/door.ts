/** What a program that trains by itself imports, as `verisum/learning`: data, models and training, without a task. */
export { loadDataset } from "./dataset.ts";
export { parameterCountOf, parseModel, tensorsOf } from "./model.ts";
export { decodeSafetensors, encodeSafetensors } from "./safetensors.ts";
export { describeDataset, featuresOf, gatherExamples, selectExamples } from "./examples.ts";
export type { Dataset, LoadedData } from "./examples.ts";
export type { TrainOptions, TrainProgress, TrainResult } from "./trainers/training-method.ts";
export { createTrainer } from "./trainer.ts";
export type { Trainer } from "./trainer.ts";
