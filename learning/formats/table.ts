/** What formats of tables have in common: options, columns, training and test files, the split. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { VerisumError } from "../../protocol/errors.ts";
import { requireOrdinary } from "../data-file.ts";
import { selectExamples } from "../examples.ts";
import type { DataNote, Dataset, LoadedData } from "../examples.ts";
import { tableWindows } from "../series/table-windows.ts";
import { allWindows, splitWindows, WINDOW_OPTIONS, windowNotes, windowSizeOf } from "../series/windows.ts";
import { DEFAULT_SPLIT, splitExamples } from "../split.ts";
import { encodeTable } from "../tables/encode.ts";
import type { Encoded } from "../tables/encode.ts";
import { planFor, planToAnswer } from "../tables/plan.ts";
import type { Plan } from "../tables/plan.ts";
import { MAX_CLASSES } from "../tables/schema.ts";
import type { TableSchema } from "../tables/schema.ts";
import type { Row, Table } from "../tables/table.ts";
import { columnWarnings } from "../tables/warnings.ts";
import type { DataFormat, DataUse, OnRows, OpenTables, Source } from "./format.ts";
import {
  classNamesOrNumber,
  invalidSpec,
  name,
  names,
  numbers,
  oneOf,
  positiveNumbers,
  readOptions,
  share,
  wholeNumber,
} from "./options.ts";
import type { OptionReaders, OptionValues } from "./options.ts";

/** How values are scaled and classes counted; the same for everyone who trains together. */
export const VALUE_OPTIONS = {
  /** Subtracted from a value (pixels: after division by their maximum); one number, or one per column. */
  mean: numbers,
  /** The standard deviation that divides the difference; same form as `mean`. */
  deviation: positiveNumbers,
  /** Number of classes, where the files do not settle it. */
  classes: wholeNumber(2, MAX_CLASSES),
};

/** The same as parsers take them. */
export interface ValueOptions {
  readonly mean: readonly number[] | undefined;
  readonly stdDev: readonly number[] | undefined;
  readonly classCount: number | undefined;
}

export function valueOptions({ mean, deviation, classes }: OptionValues<typeof VALUE_OPTIONS>): ValueOptions {
  return { mean, stdDev: deviation, classCount: classes };
}

/** Options of every format of tables. */
const TABLE_OPTIONS = {
  ...VALUE_OPTIONS,
  /** The number of classes, or their names in order. */
  classes: classNamesOrNumber(MAX_CLASSES),
  label: name,
  /** The label is a number to predict, as it is; a task's document scales it. */
  target: oneOf("number"),
  drop: names,
  keep: names,
  /** Rows with the same value here stay on one side of the split. */
  group: name,
  /** Rows with the latest values here are the test data. */
  time: name,
  missing: oneOf("refuse", "drop-row"),
  /** What stands for a missing value, besides the usual words. */
  na: names,
  /** Share of the rows for testing. */
  test: share,
  splitSeed: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  ...WINDOW_OPTIONS,
};

/** What told training and test data apart where they are two files. */
const TEST_FILE = "a test file";

/** What one file holds: a table, or a training and a test table. */
type Opened = Table | { readonly train: Table; readonly test?: Table };

/** A format of tables is a way to open one file. */
export function tableFormat<Readers extends OptionReaders>({
  endings,
  options: readers,
  open,
  ...format
}: Pick<DataFormat, "name" | "scheme" | "sources"> & {
  /** Of names of files, the preferred one first. */
  readonly endings: readonly string[];
  /** Of this format alone. */
  readonly options: Readers;
  readonly open: (path: string, options: OptionValues<Readers>) => Promise<Opened>;
}): DataFormat {
  const openSource = async (source: Source, texts: ReadonlyMap<string, string>): Promise<OpenTables> => {
    const own = readOptions(texts, readers);
    return openTables(source, endings, readOptions(texts, TABLE_OPTIONS), async (path) => {
      requireOrdinary(await stat(path), path);
      return open(path, own);
    });
  };
  return {
    ...format,
    optionNames: [...Object.keys(TABLE_OPTIONS), ...Object.keys(readers)],
    recognises: (source) => isTable(source, endings),
    open: openSource,
    load: async (source, texts, schema, onRows, use = "learning") => {
      const { train, test, ...rest } = await openSource(source, texts);
      const count = rowCounter(onRows);
      const counted = { ...rest, train: count(train), ...(test === undefined ? {} : { test: count(test) }) };
      return use === "answering" ? loadToAnswer(counted, schema) : loadTables(counted, schema, use);
    },
  };
}

/** Rows between two words about them. */
const ROWS_BETWEEN = 100_000;

/** Tables that say how many rows have been read of all of them together. */
export function rowCounter(onRows: OnRows | undefined): (table: Table) => Table {
  let [rows, said] = [0, 0];
  const batchesOf = async function* (table: Table): AsyncGenerator<readonly Row[]> {
    for await (const batch of table.batches()) {
      rows += batch.length;
      if (rows >= said + ROWS_BETWEEN) onRows?.((said = rows));
      yield batch;
    }
  };
  return (table) => (onRows === undefined ? table : { ...table, batches: () => batchesOf(table) });
}

async function openTables(
  { path, kind, entries }: Source,
  endings: readonly string[],
  options: OptionValues<typeof TABLE_OPTIONS>,
  open: (path: string) => Promise<Opened>,
): Promise<OpenTables> {
  const { deviation, na, test, splitSeed, mean, window: length, step, overlap, ...rest } = options;
  const window = windowSizeOf({ window: length, step, overlap });
  const columns = { ...rest, mean, stdDev: deviation, markers: na, window };
  const split = { testShare: test ?? DEFAULT_SPLIT.testShare, seed: splitSeed ?? DEFAULT_SPLIT.seed };
  const { train, test: testTable } =
    kind === "file" ? partsOf(await open(path)) : await openFolder(path, entries, endings, open);
  if (testTable === undefined) return { train, columns, split };
  const unneeded = Object.entries({ time: window === undefined ? rest.time : undefined, test, splitSeed }).find(
    ([, value]) => value !== undefined,
  );
  if (unneeded !== undefined) throw invalidSpec(`${path} has test data of its own; ${unneeded[0]} would split it off`);
  return { train, test: testTable, columns, split };
}

function partsOf(opened: Opened): Exclude<Opened, Table> {
  return "train" in opened ? opened : { train: opened };
}

async function openFolder(
  path: string,
  entries: readonly string[],
  endings: readonly string[],
  open: (path: string) => Promise<Opened>,
): Promise<{ readonly train: Table; readonly test: Table }> {
  const called = async (part: string): Promise<Table> => {
    const found = fileCalled(part, entries, endings);
    if (found === undefined)
      throw new VerisumError("DATASET_NOT_FOUND", `${path} holds no ${part}${endings[0]}`, { path });
    const { train, test } = partsOf(await open(join(path, found)));
    if (test === undefined) return train;
    throw new VerisumError("DATASET_MALFORMED", `${join(path, found)} has test data of its own`, { path });
  };
  return { train: await called("train"), test: await called("test") };
}

/** Every row that has its features, in the file's order, with or without a label. @throws DATASET_… */
async function loadToAnswer({ train, test, columns }: OpenTables, schema?: TableSchema): Promise<LoadedData> {
  const all = async (table: Table): Promise<Dataset> => {
    const plan = planToAnswer(table, columns, schema);
    const encoded = withRows(await encodeTable(table, plan, true));
    return plan.window === undefined ? encoded.data : allWindows(tableWindows(table, encoded, plan, false));
  };
  const first = await all(train);
  if (test === undefined) return { train: first, test: selectExamples(first, []), isWhole: true };
  const second = await all(test);
  return { ...paired(test.path, first, second), split: TEST_FILE };
}

function withRows(encoded: Encoded): Encoded {
  return { ...encoded, data: { ...encoded.data, rows: encoded.rowNumbers } };
}

/** @throws DATASET_… */
async function loadTables(
  tables: OpenTables,
  schema: TableSchema | undefined,
  use: Exclude<DataUse, "answering">,
): Promise<LoadedData> {
  const { train, test, columns, split } = tables;
  const plan = planFor(train, columns, schema);
  const encode = async (table: Table, plan: Plan): Promise<Encoded> => {
    const encoded = await encodeTable(table, plan);
    return use === "learning" ? encoded : withRows(encoded);
  };
  const whole = await encode(train, plan);
  const parts =
    test === undefined
      ? plan.window === undefined
        ? splitExamples(whole, split)
        : splitWindows(tableWindows(train, whole, plan, true), split)
      : await withTestFile(train, whole, test, plan, testPlan(test, tables, plan, schema), encode);
  const notes = [
    ...train.notes,
    ...whole.notes,
    ...columnWarnings(whole, plan),
    ...(parts.notes ?? []),
    ...unusedNote(plan),
  ];
  return { ...parts, notes };
}

async function withTestFile(
  trainTable: Table,
  train: Encoded,
  testTable: Table,
  plan: Plan,
  planOfTest: Plan,
  encode: (table: Table, plan: Plan) => Promise<Encoded>,
): Promise<LoadedData> {
  const test = await encode(testTable, planOfTest);
  const { path } = testTable;
  const both = sharedGroup(train.groups, test.groups);
  if (both !== undefined)
    throw new VerisumError("DATASET_MALFORMED", `the group ${both} has rows in the training and in the test data`, {
      path,
      value: both,
    });
  const split = TEST_FILE;
  if (plan.window === undefined) {
    const { groups } = train;
    return { ...paired(path, train.data, test.data), split, ...(groups === undefined ? {} : { groups }) };
  }
  const windows = tableWindows(trainTable, train, plan, false);
  const held = tableWindows(testTable, test, planOfTest, false);
  return {
    ...paired(path, allWindows(windows), allWindows(held)),
    split,
    notes: windowNotes(windows),
    ...(plan.group === undefined ? {} : { groups: windows.groups }),
  };
}

/** A group that has examples on both sides, if there is one. */
export function sharedGroup(train: readonly string[] = [], test: readonly string[] = []): string | undefined {
  const inTest = new Set(test);
  return train.find((group) => inTest.has(group));
}

/** The test file's columns by the training file's names, whatever order it has. */
function testPlan(
  test: Table,
  { columns }: OpenTables,
  { features, label }: Plan,
  schema: TableSchema | undefined,
): Plan {
  if (schema !== undefined) return planFor(test, columns, schema);
  const { drop: _, ...rest } = columns;
  return planFor(test, { ...rest, label: label.name, keep: features.map(({ name }) => name) });
}

function unusedNote({ unused }: Plan): DataNote[] {
  return unused.length === 0
    ? []
    : [{ level: "warning", event: "columns-unused", text: `the task has no use for the columns ${unused.join(", ")}` }];
}

/** Whether it is one file that ends so, or a folder with a training file of that ending. */
function isTable({ path, kind, entries }: Source, endings: readonly string[]): boolean {
  return kind === "file"
    ? endings.some((ending) => path.toLowerCase().endsWith(ending))
    : fileCalled("train", entries, endings) !== undefined;
}

function fileCalled(part: string, entries: readonly string[], endings: readonly string[]): string | undefined {
  return endings.map((ending) => part + ending).find((file) => entries.includes(file));
}

/** As many classes as the labels need, two at least, unless the number is given. */
export function classCountOf(labels: Int32Array | Uint8Array, given: number | undefined): number {
  if (given !== undefined) return given;
  let largest = 1;
  for (const label of labels) largest = Math.max(largest, label);
  return largest + 1;
}

/** Training and test data with one number of classes. @throws DATASET_MALFORMED if they differ in shape */
export function paired(path: string, train: Dataset, test: Dataset): LoadedData {
  if (train.featureShape.join() !== test.featureShape.join())
    throw new VerisumError("DATASET_MALFORMED", `${path}: training and test data differ in shape`, { path });
  const classCount = Math.max(train.classCount, test.classCount);
  return { train: { ...train, classCount }, test: { ...test, classCount } };
}
