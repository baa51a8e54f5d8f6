/** The client's learning, from a task's document: a trainer's update, then quantisation. */
import { cutWeights, joinWeights } from "../learning/named-tensors.ts";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import type { RandomBytes } from "../protocol/random.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { TensorShape } from "../task/checkpoint.ts";
import type { TaskDocument } from "../task/document.ts";
import { updateEncoder } from "../task/encoding.ts";
import type { UpdateEncoder } from "../task/mechanisms/mechanism.ts";
import { mechanismOf } from "../task/mechanisms/registry.ts";
import { stepScale, weightsOf } from "../task/model-vector.ts";
import { stalenessScale } from "../task/staleness.ts";
import type { LocalLearner } from "./make-submission.ts";
import { sayTrained } from "./say-trained.ts";
import type { RoundTrainer, TrainedTensors } from "./round-trainer.ts";
import { givenTerms } from "./trainers/given-terms.ts";

export interface LearnerDependencies {
  readonly trainer: RoundTrainer;
  readonly document: TaskDocument;
  /** The model's trained tensors, in the order of the vector. */
  readonly tensors: readonly TensorShape[];
  readonly random: RandomBytes;
  readonly reporter: Reporter;
  /** Aborted when the client is told to stop. */
  readonly signal?: AbortSignal;
}

/** Has the trainer train from the round's base, returns the difference, and encodes it. */
export function createLearner(deps: LearnerDependencies): LocalLearner {
  const { trainer, document, tensors, random, reporter, signal = new AbortController().signal } = deps;
  const mechanism = mechanismOf(document.training.privacy);
  const terms = givenTerms(document, tensors);
  let encode: UpdateEncoder | undefined;
  return {
    update: async (base, round, { baseDigest, secondsLeft }) => {
      encode = updateEncoder(document, base.weights.length, random);
      const start = weightsOf(document, base);
      const named = cutWeights(tensors, start);
      const result = await trainer
        .train({ round, baseDigest, tensors: named, secondsLeft, ...terms, signal })
        .catch((error: unknown) => {
          if (mechanism.diverged === "sit-out" || !isVerisumError(error) || error.entry.failedTraining !== true)
            throw error;
          const what = error.code === "TRAINING_DIVERGED" ? "training diverged" : error.message;
          reporter.say("warn", "diverged", `round ${round}: ${what}; taking part with a zero update`, {
            round,
            code: error.code,
          });
          return undefined;
        });
      if (result === undefined) return new Float32Array(start.length);
      if (result.kind === "sit-out") throw new VerisumError("TRAINER_SAT_OUT", "the trainer sits this round out");
      const update = differenceOf(result, tensors, start);
      sayTrained(reporter, round, result.metrics ?? {}, update, document, base);
      return update;
    },
    quantise: (update, base, staleness = 0) => {
      // Its noise belongs to one update.
      const once = encode ?? updateEncoder(document, base.weights.length, random);
      encode = undefined;
      const scale = stalenessScale(document.training.staleness, staleness);
      // Before it is clipped and noised: what is shared has the norm and the noise of every other vector.
      return once(scale === 1 ? update : update.map((value) => value * scale), stepScale(document, base));
    },
  };
}

/** What training added to the base. @throws TRAINER_UPDATE_INVALID */
function differenceOf(update: TrainedTensors, tensors: readonly TensorShape[], start: Float32Array): Float32Array {
  const given = joinWeights(tensors, update.tensors);
  return update.kind === "difference" ? given : given.map((weight, i) => weight - start[i]!);
}
