/** What every trainer of somebody else is held to, whatever way it is reached: its time, its tensors, its errors. */
import { joinWeights } from "../../learning/named-tensors.ts";
import type { NamedTensor } from "../../learning/safetensors.ts";
import { ensure, isVerisumError, VerisumError } from "../../protocol/errors.ts";
import type { RoundTrainer, TrainingResult, TrainingRound } from "../round-trainer.ts";
import { withinTime } from "./within-time.ts";

/**
 * The trainer, ended at its deadline, its update compared with the round's base.
 * The result throws TRAINER_FAILED for everything that the trainer throws and has no code, and where it does not end;
 * TRAINER_UPDATE_INVALID naming the tensor; INTERRUPTED when the client is told to stop.
 */
export function checkedTrainer(trainer: RoundTrainer): RoundTrainer {
  return {
    train: async (round) => {
      // A base of its own: what a trainer writes into it must not reach the difference.
      const tensors = round.tensors.map((tensor) => ({ ...tensor, data: tensor.data.slice() }));
      try {
        const limit = { seconds: round.secondsLeft, stop: round.signal, late };
        const result = await withinTime((signal) => trainer.train({ ...round, tensors, signal }), limit);
        requireUpdate(result, round);
        return result;
      } catch (error) {
        if (round.signal.aborted) throw new VerisumError("INTERRUPTED", "stopped on request");
        if (isVerisumError(error)) throw error;
        throw new VerisumError("TRAINER_FAILED", `the trainer failed: ${String(error)}`, {}, { cause: error });
      }
    },
  };
}

function late(): VerisumError {
  return new VerisumError("TRAINER_FAILED", "the trainer did not end by the deadline");
}

/** @throws TRAINER_UPDATE_INVALID */
function requireUpdate(result: TrainingResult, { tensors }: TrainingRound): void {
  if (result.kind === "sit-out") return;
  const kinds: readonly string[] = ["difference", "weights"];
  ensure(kinds.includes(result.kind), "TRAINER_UPDATE_INVALID", "an update is a difference or weights");
  joinWeights(tensors, result.tensors);
  result.tensors.forEach(requireFinite);
}

/** @throws TRAINER_UPDATE_INVALID */
function requireFinite({ name, data }: NamedTensor): void {
  const index = data.findIndex((value) => !Number.isFinite(value));
  ensure(index < 0, "TRAINER_UPDATE_INVALID", `value ${index} of tensor ${name} is not finite`, { name, index });
}
