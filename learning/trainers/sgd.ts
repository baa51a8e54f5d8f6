/** Stochastic gradient descent: epochs over all examples, in an order that the seed fixes. */
import { VerisumError } from "../../protocol/errors.ts";
import { yieldToEventLoop } from "../event-loop.ts";
import { assertFinite } from "../finite.ts";
import { gatherExamples } from "../examples.ts";
import { seededStream } from "../seeded-stream.ts";
import { createStep } from "./optimiser.ts";
import { trainingMethod } from "./training-method.ts";
import type { TrainingJob, TrainOptions, TrainResult } from "./training-method.ts";

export const sgd = trainingMethod({
  name: "SGD",
  // Whoever asks for privacy must not get this.
  takes: (options): options is TrainOptions => options.privacy === undefined,
  train,
});

async function train({ network, start, data, onProgress }: TrainingJob, options: TrainOptions): Promise<TrainResult> {
  const { batchSize, localEpochs, seed } = options;
  const weights = start.slice();
  const move = createStep(weights.length, options);
  const chance = network.takesChance ? seededStream("training-chance", seed) : undefined;
  const stream = seededStream("training-order", seed);
  const stepsPerEpoch = Math.ceil(data.exampleCount / batchSize);
  const steps = stepsPerEpoch * localEpochs;
  let step = 0;
  let epochLoss = 0;
  for (let epoch = 0; epoch < localEpochs; epoch++) {
    const order = stream.permutation(data.exampleCount);
    epochLoss = 0;
    for (let from = 0; from < data.exampleCount; from += batchSize) {
      const batch = gatherExamples(data, order.subarray(from, from + batchSize));
      const { loss, gradient } = network.lossAndGradient(weights, batch, chance?.below(2 ** 32));
      if (!Number.isFinite(loss))
        throw new VerisumError("TRAINING_DIVERGED", `the loss of step ${step} is ${loss}`, { step });
      move(weights, gradient);
      epochLoss += loss / stepsPerEpoch;
      onProgress?.({ step: ++step, steps, loss });
    }
    await yieldToEventLoop();
  }
  assertFinite(weights, "TRAINING_DIVERGED", "training produced weights that are not finite");
  return { weights, loss: epochLoss, steps };
}
