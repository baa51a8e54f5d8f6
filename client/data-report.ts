/** A report on data as text. */
import { answersText } from "./answers-text.ts";
import type { DataReport, InspectedColumn } from "../learning/inspect.ts";
import type { Bin } from "../learning/tables/histogram.ts";
import { dayText } from "../learning/tables/values.ts";

const BARS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
/** Values of a column, and classes, that are listed. */
const MOST_VALUES = 5;
const MOST_CLASSES = 20;

/** Ends with a newline. */
export function reportText(report: DataReport): string {
  const { data, format, table, examples, statistics, task, notes, refused } = report;
  const sections = [
    [`${data}: ${format}${table === undefined ? "" : `, ${table.rows} rows, ${table.columns.length} columns`}`],
    table === undefined
      ? []
      : aligned([["column", "role", "type", "missing", "values", ""], ...table.columns.map(columnRow)]),
    examples === undefined ? [] : examplesText(examples),
    statistics === undefined ? [] : statisticsText(statistics),
    task === undefined
      ? []
      : [
          `the task takes ${task.inputs.expected} inputs and ${answersText(task.classes.expected)}; here are ${task.inputs.found ?? "?"} and ${answersText(task.classes.found)}: ${task.fits ? "fits" : "does not fit"}`,
        ],
    notes.map(({ level, text }) => `${level === "warning" ? "!" : "·"} ${text}`),
    refused === undefined ? [] : [`✗ refused: ${refused.message}`],
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function columnRow({
  name,
  role,
  type,
  missing,
  distinct,
  values,
  figures,
  expected,
}: InspectedColumn): readonly string[] {
  const shown = type === "date" ? dayText : short;
  const words = values.slice(0, MOST_VALUES).map(([value, count]) => `${value} (${count})`);
  const range =
    figures === undefined || role === "label"
      ? `${words.join(", ")}${distinct === null || distinct > MOST_VALUES ? `, … ${distinct ?? "over 1000"} different` : ""}`
      : `${shown(figures.least)} to ${shown(figures.most)}, mean ${shown(figures.mean)}, sd ${short(figures.stdDev)}`;
  return [
    name,
    role,
    expected === undefined || expected.type === type ? type : `${type} (task: ${expected.type})`,
    String(missing),
    range +
      (expected?.scaling === undefined
        ? ""
        : `; the task scales by ${expected.scaling.mean}, ${expected.scaling.stdDev}`),
    figures === undefined || role === "label" ? "" : histogramText(figures.histogram),
  ];
}

function examplesText({
  train,
  test,
  split,
  inputShape,
  classes,
  majority,
  target,
}: NonNullable<DataReport["examples"]>): string[] {
  const first = `${train} training and ${test} test examples of ${inputShape.join("×")} values, split by ${split}`;
  if (target !== undefined)
    return [
      first,
      `numbers to predict, ${short(target.least)} to ${short(target.most)}, mean ${short(target.mean)}, sd ${short(target.stdDev)}`,
      `always answering the mean of the test data has a root mean squared error of ${short(target.baselineError)}`,
    ];
  const rest = classes.length - MOST_CLASSES;
  return [
    first,
    ...aligned([
      ["class", "training", "test", "share"],
      ...classes
        .slice(0, MOST_CLASSES)
        .map((one) => [one.name, String(one.train), String(one.test), `${(one.share * 100).toFixed(1)} %`]),
    ]),
    ...(rest > 0 ? [`and ${rest} more classes`] : []),
    `always answering the most frequent class is right in ${((majority ?? 0) * 100).toFixed(1)} % of the test data`,
  ];
}

/** What this table adds to the sums. */
function statisticsText({ rows, columns }: NonNullable<DataReport["statistics"]>): string[] {
  return [
    `the task sums statistics; of this table it would count ${rows} rows`,
    ...columns.map(({ name, present, outside, mean, stdDev, counts }) => {
      const listed = counts.map((one) => `${one.name} (${one.count})`).join(", ");
      if (outside === undefined) return `${name}: ${present} values, ${listed}`;
      const moments = typeof mean === "number" ? `, mean ${short(mean)}, sd ${short(stdDev!)}` : "";
      return `${name}: ${present} values, ${outside} of them beyond the stated range${moments}; ${listed}`;
    }),
  ];
}

/** A character for each bin, the highest for the fullest. */
function histogramText(bins: readonly Bin[]): string {
  const most = Math.max(...bins.map(({ count }) => count));
  return bins
    .map(({ count }) =>
      count === 0 ? " " : BARS[Math.min(BARS.length - 1, Math.floor((count / most) * BARS.length))]!,
    )
    .join("");
}

/** Rows of cells as lines, in columns. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((cells) => cells[i]!.length)));
  return rows.map((cells) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join("  ")
      .trimEnd(),
  );
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
