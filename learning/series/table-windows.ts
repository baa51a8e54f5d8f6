/** Windows over the rows of a table of sensor values. */
import { invalidSpec } from "../formats/options.ts";
import type { Encoded } from "../tables/encode.ts";
import type { PlanToAnswer } from "../tables/plan.ts";
import { refusal } from "../tables/table.ts";
import type { Table } from "../tables/table.ts";
import { windowsOf } from "./windows.ts";
import type { Recording, Windows } from "./windows.ts";

/**
 * Rows with the same group that follow one another are a series.
 * @param isToSplit whether the windows are still to be split: then they need groups
 * @throws DATASET_SPEC_INVALID without a group to split by, or with rows left out; DATASET_MALFORMED for times that do
 *   not ascend; DATASET_EMPTY
 */
export function tableWindows(table: Table, encoded: Encoded, plan: PlanToAnswer, isToSplit: boolean): Windows {
  const { window, missing, group, time } = plan;
  if (missing.policy === "drop-row")
    throw invalidSpec("rows left out (missing=drop-row) would leave gaps in windows; fill the values in");
  if (isToSplit && group === undefined)
    throw invalidSpec(
      "windows are split by whole series: name the column that tells recordings or subjects apart with group=",
    );
  const { data, groups, times } = encoded;
  const series = seriesOf(data.exampleCount, groups);
  if (time !== undefined && times !== undefined) assertAscending(table, times, series, time.name);
  return windowsOf(
    {
      values: data.features,
      channels: data.features.length / data.exampleCount,
      labels: data.labels,
      classCount: data.classCount,
      ...(data.classNames === undefined ? {} : { classNames: data.classNames }),
      series,
      ...(data.rows === undefined ? {} : { rows: data.rows }),
      ...(data.isUnanswered === undefined ? {} : { isUnanswered: data.isUnanswered }),
    },
    window!,
  );
}

function seriesOf(rows: number, groups: readonly string[] | undefined): Recording["series"] {
  const series: Recording["series"][number][] = [];
  for (let from = 0, until; from < rows; from = until) {
    const group = groups?.[from] ?? "";
    until = from + 1;
    while (until < rows && (groups === undefined || groups[until] === group)) until++;
    series.push({ from, until, group });
  }
  return series;
}

/** @throws DATASET_MALFORMED naming the example */
function assertAscending({ path }: Table, times: readonly number[], series: Recording["series"], column: string): void {
  for (const { from, until, group } of series)
    for (let i = from + 1; i < until; i++)
      if (times[i]! <= times[i - 1]!)
        throw refusal(
          "DATASET_MALFORMED",
          { path, column, value: times[i]! },
          `example ${i + 1} is not later than the one before it${group === "" ? "" : ` in the series ${group}`}`,
          "sort the rows by series and time",
        );
}
