/** Metrics that somebody else's program finds on data of this machine: shown, marked as local, never sent. */
import { cutWeights } from "../../learning/named-tensors.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import { modelDigest } from "../../protocol/model.ts";
import type { ModelState } from "../../protocol/model.ts";
import type { Reporter } from "../../protocol/reporter.ts";
import { weightsOf } from "../../task/model-vector.ts";
import type { OpenTask } from "../../task/opened-task.ts";
import type { RoundEvaluator } from "../round-trainer.ts";
import { givenTerms } from "./given-terms.ts";
import { metricWords } from "./metric-words.ts";
import { numbersIn } from "./round-files.ts";
import { withinTime } from "./within-time.ts";

/** A model is measured before the next round's training begins, which gets the rest of the time. */
const EVALUATION_SECONDS = 60;

export interface MetricsDependencies {
  readonly task: Pick<OpenTask, "document" | "tensors">;
  readonly reporter: Reporter;
  /** Aborted when the client is told to stop. */
  readonly signal: AbortSignal;
}

/** Measures a model and says its numbers; what goes wrong costs them, and never the round. */
export function metricsBy(
  evaluator: RoundEvaluator,
  { task: { document, tensors }, reporter, signal }: MetricsDependencies,
): (round: bigint, model: ModelState) => Promise<void> {
  const terms = givenTerms(document, tensors);
  return async (round, model) => {
    const given = {
      round,
      baseDigest: modelDigest(model),
      tensors: cutWeights(tensors, weightsOf(document, model)),
      secondsLeft: EVALUATION_SECONDS,
      ...terms,
    };
    try {
      const metrics = await withinTime((time) => evaluator.evaluate({ ...given, signal: time }), {
        seconds: EVALUATION_SECONDS,
        stop: signal,
        late: () => new Error("it did not end in time"),
      });
      const local = numbersIn(metrics);
      const words = metricWords(local).join(", ") || "no number";
      reporter.say("info", "evaluated", `model of round ${round}, local: ${words}`, {
        round,
        local: JSON.stringify(local),
      });
    } catch (error) {
      if (signal.aborted) return;
      const text = isVerisumError(error) ? `${error.code}: ${error.message}` : String(error);
      reporter.say("warn", "evaluator-failed", `model of round ${round}: the evaluator gave nothing: ${text}`, {
        round,
      });
    }
  };
}
