/** What every trainer of somebody else is held to, whatever way it is reached: its time, its tensors, its errors. */
import { joinWeights } from "../../learning/named-tensors.ts";
import type { NamedTensor } from "../../learning/safetensors.ts";
import { ensure, isVerisumError, VerisumError } from "../../protocol/errors.ts";
import type { RoundTrainer, TrainingResult, TrainingRound } from "../round-trainer.ts";

/** After its time a trainer has this long to end before it is left behind; a process is killed within it. */
const GRACE_MS = 5_000;
/** Node's longest timer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The trainer, ended at its deadline, its update compared with the round's base.
 * The result throws TRAINER_FAILED for everything that the trainer throws and has no code, and where it does not end;
 * TRAINER_UPDATE_INVALID naming the tensor; INTERRUPTED when the client is told to stop.
 */
export function checkedTrainer(trainer: RoundTrainer): RoundTrainer {
  return {
    train: async (round) => {
      const time = new AbortController();
      const signal = AbortSignal.any([round.signal, time.signal]);
      const timers = [setTimeout(() => time.abort(), Math.min(round.secondsLeft * 1000, LONGEST_TIMER_MS))];
      // A base of its own: what a trainer writes into it must not reach the difference.
      const tensors = round.tensors.map((tensor) => ({ ...tensor, data: tensor.data.slice() }));
      try {
        const left = new Promise<never>((_, reject) => {
          signal.addEventListener("abort", () => timers.push(setTimeout(() => reject(late()), GRACE_MS)));
        });
        const result = await Promise.race([trainer.train({ ...round, tensors, signal }), left]);
        requireUpdate(result, round);
        return result;
      } catch (error) {
        if (round.signal.aborted) throw new VerisumError("INTERRUPTED", "stopped on request");
        if (isVerisumError(error)) throw error;
        throw new VerisumError("TRAINER_FAILED", `the trainer failed: ${String(error)}`, {}, { cause: error });
      } finally {
        timers.forEach(clearTimeout);
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
