/** What a data specification holds, as a client's owner looks at it before joining: also where it would be refused. */
import { isVerisumError } from "../protocol/errors.ts";
import type { VerisumError } from "../protocol/errors.ts";
import { loadDataset, resolveData } from "./dataset.ts";
import type { DataNote, Dataset, LoadedData } from "./examples.ts";
import type { OnRows, OpenTables } from "./formats/format.ts";
import { isExternal } from "./external-model.ts";
import { parseMember } from "./model.ts";
import { sizeOf } from "./shape.ts";
import type { Preprocessing } from "./preprocessing.ts";
import { countData } from "./statistics/count-data.ts";
import { isStatistics, parseStatistics } from "./statistics/statistics-model.ts";
import type { StatisticsModel } from "./statistics/statistics-model.ts";
import { summaryOf } from "./statistics/summary.ts";
import type { StatisticsSummary } from "./statistics/summary.ts";
import { columnsAsked, planFor } from "./tables/plan.ts";
import { profileTable } from "./tables/profile.ts";
import type { ColumnProfile } from "./tables/profile.ts";
import type { ColumnSchema, TableSchema } from "./tables/schema.ts";
import { countsOf } from "./tables/warnings.ts";

export type ColumnRole = "label" | "feature" | "group" | "time" | "summed" | "unused" | "undecided";

/** What a task says of its clients' data. */
export interface ExpectedData {
  /** The `model` of its document. */
  readonly model: unknown;
  readonly schema: TableSchema | undefined;
  /** What it says of data that is no table. */
  readonly preprocessing?: Preprocessing | undefined;
}

export interface InspectedColumn extends ColumnProfile {
  readonly role: ColumnRole;
  /** What the task's document says of it. */
  readonly expected?: ColumnSchema & { readonly scaling?: { readonly mean: number; readonly stdDev: number } };
}

export interface TargetFigures {
  readonly least: number;
  readonly most: number;
  readonly mean: number;
  readonly stdDev: number;
  /** Root mean squared error on the test data of always answering its mean. */
  readonly baselineError: number;
}

export interface InspectedClass {
  readonly name: string;
  readonly train: number;
  readonly test: number;
  /** Of all examples. */
  readonly share: number;
}

export interface DataReport {
  readonly data: string;
  readonly format: string;
  /** Of a table, of the training file where there are two. */
  readonly table?: { readonly rows: number; readonly columns: readonly InspectedColumn[] };
  /** What training would get; absent if it is refused. */
  readonly examples?: {
    readonly train: number;
    readonly test: number;
    readonly split: string;
    readonly inputShape: readonly number[];
    readonly classes: readonly InspectedClass[];
    /** Accuracy on the test data of always answering its most frequent class; null of numbers to predict. */
    readonly majority: number | null;
    /** Of numbers to predict, in the data's unit. */
    readonly target?: TargetFigures;
  };
  /** What a task of statistics would count of it. */
  readonly statistics?: StatisticsSummary;
  /** What a task expects beside what is there; absent for a model that only its trainers know. */
  readonly task?: {
    readonly inputs: { readonly expected: number; readonly found: number | null };
    /** 0 where the answers are numbers. */
    readonly classes: { readonly expected: number; readonly found: number | null };
    readonly fits: boolean;
  };
  readonly notes: readonly DataNote[];
  readonly refused?: { readonly code: string; readonly message: string; readonly details: VerisumError["details"] };
}

/**
 * @returns the report, and what loading the data throws
 * @throws what hinders any look at it: DATASET_SPEC_INVALID, DATASET_NOT_FOUND, and what opening a table throws
 */
export async function inspectData(
  spec: string,
  task?: ExpectedData,
  onRows?: OnRows,
): Promise<{ readonly report: DataReport; readonly refusal: VerisumError | undefined }> {
  const { source, format, options } = await resolveData(spec);
  const tables = await format.open?.(source, options);
  const summed = task !== undefined && isStatistics(task.model) ? parseStatistics(task.model) : undefined;
  const table = tables === undefined ? undefined : await inspectTable(tables, task?.schema, summed);
  if (summed !== undefined) {
    const counted = await refusalOr(countData(spec, summed, onRows));
    const notes = tables?.train.notes ?? [];
    const about = { data: spec, format: format.name, ...(table === undefined ? {} : { table }), notes };
    if (isVerisumError(counted)) return { report: { ...about, ...refusedBy(counted) }, refusal: counted };
    return {
      report: { ...about, statistics: summaryOf(summed, Int32Array.from(counted), { clients: 1 }) },
      refusal: undefined,
    };
  }
  const loaded = await refusalOr(loadDataset(spec, task?.schema ?? task?.preprocessing, onRows));
  const refusal = isVerisumError(loaded) ? loaded : undefined;
  const data = isVerisumError(loaded) ? undefined : loaded;
  const report = {
    data: spec,
    format: format.name,
    ...(table === undefined ? {} : { table }),
    ...(data === undefined ? {} : { examples: examplesOf(data) }),
    ...(task === undefined || isExternal(task.model) ? {} : { task: comparison(task, data) }),
    notes: data?.notes ?? tables?.train.notes ?? [],
    ...(refusal === undefined ? {} : refusedBy(refusal)),
  };
  return { report, refusal };
}

async function refusalOr<T>(work: Promise<T>): Promise<T | VerisumError> {
  try {
    return await work;
  } catch (error) {
    if (isVerisumError(error)) return error;
    throw error;
  }
}

function refusedBy({ code, message, details }: VerisumError): Pick<DataReport, "refused"> {
  return { refused: { code, message, details } };
}

async function inspectTable(
  { train, columns }: OpenTables,
  schema: TableSchema | undefined,
  summed: StatisticsModel | undefined,
): Promise<NonNullable<DataReport["table"]>> {
  const { rows, columns: profiles } = await profileTable(train, schema?.missing.markers ?? columns.markers);
  const isSummed = (index: number): boolean =>
    summed!.columns.some(({ name }) => name.toLowerCase() === train.columns[index]!.toLowerCase());
  const roles =
    summed === undefined
      ? rolesOf({ train, columns }, schema)
      : (index: number): ColumnRole => (isSummed(index) ? "summed" : "unused");
  return {
    rows,
    columns: profiles.map((profile, i) => {
      const column = schema?.columns.find(({ name }) => name === profile.name);
      const scaling = schema?.scaling[profile.name];
      const expected = { ...column, ...(scaling === undefined ? {} : { scaling }) };
      return {
        ...profile,
        role: roles?.(i) ?? "undecided",
        ...(column === undefined ? {} : { expected: { ...column, ...expected } }),
      };
    }),
  };
}

/** The role of each column, or undefined where the names do not decide them. */
function rolesOf(
  { train, columns }: Pick<OpenTables, "train" | "columns">,
  schema: TableSchema | undefined,
): ((index: number) => ColumnRole) | undefined {
  try {
    const { label, group, time, features } =
      schema === undefined ? columnsAsked(train, columns) : planFor(train, columns, schema);
    const used = new Set(features.map(({ index }) => index));
    return (index) => {
      if (index === label.index) return "label";
      if (used.has(index)) return "feature";
      if (index === group?.index) return "group";
      return index === time?.index ? "time" : "unused";
    };
  } catch (error) {
    if (isVerisumError(error)) return undefined;
    throw error;
  }
}

function examplesOf({ train, test, split }: LoadedData): NonNullable<DataReport["examples"]> {
  const [inTrain, inTest] = [countsOf(train), countsOf(test)];
  const total = train.exampleCount + test.exampleCount;
  return {
    train: train.exampleCount,
    test: test.exampleCount,
    split: split ?? "a test file",
    inputShape: train.featureShape,
    classes: inTrain.map((count, label) => ({
      name: train.classNames?.[label] ?? String(label),
      train: count,
      test: inTest[label]!,
      share: (count + inTest[label]!) / total,
    })),
    ...(train.targets === undefined
      ? { majority: Math.max(...inTest) / test.exampleCount }
      : { majority: null, target: targetFigures(train, test) }),
  };
}

function targetFigures(train: Dataset, test: Dataset): TargetFigures {
  const { mean: origin, stdDev: unit } = train.targetScaling ?? { mean: 0, stdDev: 1 };
  const valuesOf = ({ targets }: Dataset): number[] => Array.from(targets!, (target) => origin + unit * target);
  const [inTest, all] = [valuesOf(test), [...valuesOf(train), ...valuesOf(test)]];
  const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const spreadOf = (values: readonly number[], mean = meanOf(values)): number =>
    Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2)));
  const least = all.reduce((a, b) => Math.min(a, b));
  const most = all.reduce((a, b) => Math.max(a, b));
  return { least, most, mean: meanOf(all), stdDev: spreadOf(all), baselineError: spreadOf(inTest) };
}

function comparison({ model }: ExpectedData, data: LoadedData | undefined): NonNullable<DataReport["task"]> {
  const { inputShape, classCount = 0 } = parseMember(model);
  const inputs = { expected: sizeOf(inputShape), found: data === undefined ? null : sizeOf(data.train.featureShape) };
  const classes = { expected: classCount, found: data?.train.classCount ?? null };
  // A client need not have every class; numbers to predict are no classes.
  const answersFit = (classes.found === 0) === (classes.expected === 0);
  const fits =
    inputs.found === inputs.expected && classes.found !== null && classes.found <= classes.expected && answersFit;
  return { inputs, classes, fits };
}
