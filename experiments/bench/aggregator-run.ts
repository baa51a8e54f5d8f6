/**
 * The aggregator's work in a round: interpolate, check against the sum of commitments, make the next model, open the
 * sum.
 */
import type { RoundResult } from "../../chain/task-chain.ts";
import { AGGREGATE_FILE, directoryDigest, SHARE_SUM_FILE } from "../../task/outcome.ts";
import { recoverAggregate, roundOutcome } from "../../protocol/aggregate.ts";
import { encodeElements } from "../../protocol/field.ts";
import { encodeModelState } from "../../protocol/model.ts";
import type { G1 } from "../../protocol/points.ts";
import type { VectorCommitter } from "../../protocol/ports.ts";
import { openVector } from "../../protocol/submission.ts";
import { resultPoint } from "../../protocol/transcript.ts";
import type { Hex, RoundContext } from "../../protocol/transcript.ts";
import { SERVER_STEP } from "./bench-task.ts";
import type { BenchTask } from "./bench-task.ts";

export interface SettledSum extends RoundContext {
  readonly settlement: Hex;
  readonly totalWeight: number;
  readonly sum: G1;
}

export interface AggregatorMeasurement {
  /** Milliseconds for each repeat; one run before them warms up. */
  readonly roundMs: readonly number[];
  readonly releaseCids: readonly Hex[];
  readonly result: RoundResult;
  readonly evaluation: bigint;
  readonly opening: G1;
}

/**
 * From the first `threshold` releases, as an aggregator starts. The time does not depend on how many clients took part.
 * @throws AGGREGATE_NOT_RECOVERABLE if the releases do not open the sum
 */
export async function measureAggregator(
  task: BenchTask,
  settled: SettledSum,
  shareSums: readonly (readonly bigint[])[],
  committer: VectorCommitter,
  repeats: number,
): Promise<AggregatorMeasurement> {
  const releases = shareSums
    .slice(0, task.committee.threshold)
    .map((shareSum, index) => ({ seat: index + 1, shareSum }));
  const round = async () => {
    const started = performance.now();
    const { elements } = await recoverAggregate(task.committee.threshold, releases, settled.sum, committer);
    const outcome = roundOutcome(task.layout, task.base, elements, settled.totalWeight, SERVER_STEP);
    const { value, opening } = await openVector(elements, resultPoint({ ...settled, ...outcome }), committer);
    return { milliseconds: performance.now() - started, elements, outcome, value, opening };
  };
  const { elements, outcome, value, opening } = await round();
  const roundMs: number[] = [];
  for (let i = 0; i < repeats; i++) roundMs.push((await round()).milliseconds);
  return {
    roundMs,
    releaseCids: await Promise.all(
      shareSums.map((shareSum) => directoryDigest({ [SHARE_SUM_FILE]: encodeElements(shareSum) })),
    ),
    result: {
      aggregateCid: await directoryDigest({ [AGGREGATE_FILE]: encodeElements(elements) }),
      aggregateDigest: outcome.aggregateDigest,
      modelCid: await directoryDigest({ "state.bin": encodeModelState(outcome.model) }),
      modelDigest: outcome.modelDigest,
    },
    evaluation: value,
    opening,
  };
}
