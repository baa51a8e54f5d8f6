/** One model from the sums of several cells (docs/protocol.md, section 6.1; docs/scale.md). */
import type { RoundOutcome } from "./aggregate.ts";
import { VerisumError } from "./errors.ts";
import type { Layout } from "./layout.ts";
import { aggregateDigest, modelDigest } from "./model.ts";
import type { ModelState } from "./model.ts";
import { nextModel } from "./next-model.ts";
import type { ServerStep } from "./next-model.ts";
import { unpackSum } from "./packing.ts";

const INT32_MAX = 2 ** 31 - 1;

/** One cell's aggregate, packed, and the weight that it is the sum of. */
export interface WeightedAggregate {
  readonly elements: readonly bigint[];
  readonly totalWeight: number;
}

/** Decoded sums, and their weight. */
export interface WeightedSums {
  readonly sums: Int32Array;
  readonly totalWeight: number;
}

/**
 * Σ_c S_c and Σ_c W_c. The sums are added as decoded integers, never as packed elements: a slot holds what one
 * contract's weights can reach (W ≤ 511), and the sum of two cells may carry into the next slot.
 *
 * @param cells at least one; all of one length
 * @throws CELLS_SUM_OVERFLOW if a coordinate leaves int32, which takes more than 2,052 cells; UPDATE_LENGTH
 */
export function addCells(cells: readonly WeightedSums[]): WeightedSums {
  const dimension = cells[0]?.sums.length ?? 0;
  const sums = new Int32Array(dimension);
  let totalWeight = 0;
  for (const cell of cells) {
    if (cell.sums.length !== dimension) {
      throw new VerisumError(
        "UPDATE_LENGTH",
        `cells have sums of ${dimension} and of ${cell.sums.length} coordinates`,
        {
          expected: dimension,
          actual: cell.sums.length,
        },
      );
    }
    totalWeight += cell.totalWeight;
    for (let i = 0; i < dimension; i++) {
      const sum = sums[i]! + cell.sums[i]!;
      if (sum > INT32_MAX || sum < -INT32_MAX)
        throw new VerisumError("CELLS_SUM_OVERFLOW", `coordinate ${i} of the sum over cells leaves int32`, {
          index: i,
        });
      sums[i] = sum;
    }
  }
  return { sums, totalWeight };
}

/**
 * What follows in one cell from its own aggregate and those of all its siblings: the model is every cell's, the
 * aggregate's digest its own. Without siblings it is `roundOutcome`.
 * @throws ENCODING_SLOT_RANGE, CELLS_SUM_OVERFLOW, MODEL_OVERFLOW
 */
export function cellOutcome(
  layout: Layout,
  base: ModelState,
  own: WeightedAggregate,
  siblings: readonly WeightedAggregate[],
  step: ServerStep,
): RoundOutcome {
  const { sums, totalWeight } = addCells(
    [own, ...siblings].map((cell) => ({ sums: unpackSum(layout, cell.elements), totalWeight: cell.totalWeight })),
  );
  const model = nextModel(base, sums, totalWeight, step);
  return { sums, model, aggregateDigest: aggregateDigest(own.elements), modelDigest: modelDigest(model) };
}
