/** A client of a task that protects whole clients, as far as its noise goes: its training is given. */
import type { Trainer } from "../../learning/trainer.ts";
import type { TaskDocument } from "../../task/document.ts";
import { createLearner } from "../../client/learner.ts";
import { engineTrainer } from "../../client/trainers/engine.ts";
import type { LocalLearner } from "../../client/make-submission.ts";
import type { RandomBytes } from "../../protocol/random.ts";

export const DIMENSION = 256;
export const NOISE_VARIANCE = 100;

/** The base from which `noiseOf` trains. */
const BASE = { weights: new Int32Array(DIMENSION), kept: [new Int32Array(DIMENSION)] };

/** Nobody waits for this client. */
export const TERMS = { baseDigest: "0x", secondsLeft: Infinity } as const;

/** The learner that `fl-client` makes, with this training in place of the trainer's. */
export function learnerWith(
  train: Trainer["train"],
  random: RandomBytes,
  privacy?: TaskDocument["training"]["privacy"],
  dimension = DIMENSION,
  staleness?: TaskDocument["training"]["staleness"],
): LocalLearner {
  const tensors = [{ name: "weights", shape: [dimension] }];
  const document = {
    model: {},
    preset: "standard",
    training: {
      learningRate: 1,
      momentum: 0,
      batchSize: 1,
      localEpochs: 1,
      ...(privacy === undefined ? {} : { privacy }),
      ...(staleness === undefined ? {} : { staleness }),
    },
    quantisation: { stepBits: 4, clipSteps: 16 },
    server: { fractionalBits: 20 },
  } as unknown as TaskDocument;
  return createLearner({
    trainer: engineTrainer({ engine: { train }, data: {} as never, document, tensors, random }),
    document,
    tensors,
    random,
    reporter: { say: () => undefined, wait: () => undefined },
  });
}

/** One that protects its client; from training that learns nothing unless told. */
export function noisyClient(
  random: RandomBytes,
  train: Trainer["train"] = (weights) => Promise.resolve({ weights: weights.slice(), loss: 1, steps: 1 }),
): LocalLearner {
  return learnerWith(train, random, { unit: "client", noiseVariance: NOISE_VARIANCE, delta: 1e-5 });
}

/** What a client commits to in a round from which it learned nothing: its noise. */
export async function noiseOf(client: LocalLearner, round: bigint): Promise<Int32Array> {
  return client.quantise(await client.update(BASE, round, TERMS), BASE);
}
