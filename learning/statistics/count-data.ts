/** A client's counts from what its `--data` names. */
import { resolveData, SHARED_OPTIONS } from "../dataset.ts";
import type { OnRows } from "../formats/format.ts";
import { invalidSpec } from "../formats/options.ts";
import { rowCounter } from "../formats/table.ts";
import { countTable } from "./count-table.ts";
import type { StatisticsModel } from "./statistics-model.ts";

/**
 * Counts all rows of the table; of a folder with training and test data, the training table's.
 * @throws DATASET_SPEC_INVALID for what is no table, or for a part of one; and as `countTable`
 */
export async function countData(spec: string, model: StatisticsModel, onRows?: OnRows): Promise<Float32Array> {
  const { source, format, options } = await resolveData(spec);
  if (format.open === undefined)
    throw invalidSpec(`statistics are of tables, and ${source.path} holds ${format.name} data`);
  // Counted in part, two clients' sums would not be of two tables.
  const choosing = Object.keys(SHARED_OPTIONS).find((name) => options.has(name));
  if (choosing !== undefined) throw invalidSpec(`statistics are of whole tables: leave ${choosing} out`);
  const { train, columns } = await format.open(source, options);
  return countTable(rowCounter(onRows)(train), model, columns.markers);
}
