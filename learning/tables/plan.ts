/** Which column of a table is what: by a task's schema, or by the names in a data specification; never by guess. */
import { invalidSpec } from "../formats/options.ts";
import { valueScaling } from "../scaling.ts";
import type { WindowSize } from "../series/windows.ts";
import type { ColumnSchema, MissingPolicy, TableSchema } from "./schema.ts";
import { listed, nameKey, optionText, refusal } from "./table.ts";
import type { Table } from "./table.ts";
import type { TargetScaling } from "./targets.ts";

/** What a data specification says of columns. */
export interface ColumnOptions {
  readonly label?: string | undefined;
  readonly drop?: readonly string[] | undefined;
  /** All features, in this order. */
  readonly keep?: readonly string[] | undefined;
  readonly group?: string | undefined;
  readonly time?: string | undefined;
  /** Their number, or their names in order. */
  readonly classes?: number | readonly string[] | undefined;
  /** The label is a number to predict. */
  readonly target?: "number" | undefined;
  readonly mean?: readonly number[] | undefined;
  readonly stdDev?: readonly number[] | undefined;
  readonly missing?: "refuse" | "drop-row" | undefined;
  readonly markers?: readonly string[] | undefined;
  /** Examples are windows of rows that follow one another. */
  readonly window?: WindowSize | undefined;
}

/** A column, by its place in the rows. */
export interface PlacedColumn {
  readonly index: number;
  readonly name: string;
}

export interface Feature extends PlacedColumn {
  readonly schema: ColumnSchema;
  /** Of a number, before it goes into the model. */
  readonly scale: (value: number) => number;
}

export interface Plan extends PlanToAnswer {
  readonly label: PlacedColumn;
}

/** A plan for a table that a model answers: labels may be absent. */
export interface PlanToAnswer {
  /** Undefined where the table has none. */
  readonly label: PlacedColumn | undefined;
  /** Names in order, their number, or undefined: as many as the labels need. */
  readonly classes: readonly string[] | number | undefined;
  /** Where the label is a number to predict; then there are no classes. */
  readonly target: TargetScaling | undefined;
  readonly features: readonly Feature[];
  readonly group: PlacedColumn | undefined;
  readonly time: PlacedColumn | undefined;
  readonly missing: MissingPolicy;
  readonly window: WindowSize | undefined;
  /** Whether a task's document says what the columns are, so that no option can leave one out. */
  readonly isByTask: boolean;
  /** Columns that nobody asked for. */
  readonly unused: readonly string[];
}

const UNSCALED: TargetScaling = { mean: 0, stdDev: 1 };
/** The column of this name where nothing else is said. */
const LABEL = "label";
/** What else it is often called; proposed, never guessed. */
const USUAL_LABELS = ["y", "labels", "target", "class"];

/**
 * @throws DATASET_COLUMN_ABSENT, DATASET_LABEL_UNNAMED, DATASET_COLUMN_UNNAMED, DATASET_MALFORMED without a feature,
 *   DATASET_VALUE_INVALID for a column that cannot be read, DATASET_SPEC_INVALID
 */
export function planFor(table: Table, options: ColumnOptions, schema?: TableSchema): Plan {
  assertConsistent(options, schema);
  const label = columnCalled(table, schema?.label ?? options.label ?? unaskedLabel(table));
  return { ...planBeside(label, table, options, schema), label };
}

/** The same of a table that need not have a label. @throws as `planFor` */
export function planToAnswer(table: Table, options: ColumnOptions, schema?: TableSchema): PlanToAnswer {
  assertConsistent(options, schema);
  const name = schema?.label ?? (options.label === undefined ? labelByName(table) : undefined);
  const label =
    options.label !== undefined
      ? columnCalled(table, options.label)
      : name === undefined || !hasColumn(table, name)
        ? undefined
        : columnCalled(table, name);
  return { ...planBeside(label, table, options, schema), label };
}

/** @throws DATASET_SPEC_INVALID */
function assertConsistent(options: ColumnOptions, schema: TableSchema | undefined): void {
  if (schema === undefined) return assertOneAnswer(options);
  const { label, keep, classes, target, mean, stdDev, missing, markers, window } = options;
  const said = Object.entries({ label, keep, classes, target, mean, deviation: stdDev, missing, na: markers, window });
  const twice = said.find(([, value]) => value !== undefined);
  if (twice !== undefined)
    throw invalidSpec(
      `the task's document says what ${twice[0]} would say; leave it out, and rename columns in the file`,
    );
}

function planBeside(
  label: PlacedColumn | undefined,
  table: Table,
  options: ColumnOptions,
  schema: TableSchema | undefined,
): Omit<Plan, "label"> {
  if (schema !== undefined) return planBySchema(label, table, options, schema);
  const { features, ...asked } = columnsBeside(label, table, options);
  const scale = valueScaling({ mean: options.mean, stdDev: options.stdDev }, features.length);
  return {
    ...asked,
    classes: options.classes,
    target: options.target === undefined ? undefined : UNSCALED,
    features: features.map((column, i) => ({
      ...column,
      schema: { name: column.name, type: column.index === asked.time?.index ? "date" : "number" },
      scale: (value) => scale(value, i),
    })),
    missing: {
      policy: options.missing ?? "refuse",
      ...(options.markers === undefined ? {} : { markers: [...options.markers] }),
    },
    window: options.window,
    isByTask: false,
    unused: [],
  };
}

/** @throws DATASET_SPEC_INVALID */
function assertOneAnswer({ target, classes, window }: ColumnOptions): void {
  if (target === undefined) return;
  if (classes !== undefined) throw invalidSpec("target=number and classes exclude one another");
  if (window !== undefined) throw invalidSpec("target=number and window exclude one another: windows have classes");
}

/** What a data specification makes of columns, whatever their values. @throws as `planFor` */
export function columnsAsked(
  table: Table,
  options: ColumnOptions,
): Pick<Plan, "label" | "group" | "time"> & { readonly features: readonly PlacedColumn[] } {
  const label = columnCalled(table, options.label ?? unaskedLabel(table));
  return { ...columnsBeside(label, table, options), label };
}

function columnsBeside(
  label: PlacedColumn | undefined,
  table: Table,
  options: ColumnOptions,
): Pick<Plan, "group" | "time"> & { readonly features: readonly PlacedColumn[] } {
  const find = (name: string): PlacedColumn => columnCalled(table, name);
  const group = options.group === undefined ? undefined : find(options.group);
  const time = options.time === undefined ? undefined : find(options.time);
  const taken = [label, group].flatMap((column) => (column === undefined ? [] : [column.index]));
  const features = featuresAsked(table, options, taken);
  if (features.length === 0)
    throw refusal("DATASET_MALFORMED", { path: table.path }, "no column is left as a feature", "drop fewer columns");
  assertReadable(table, [label, group, time, ...features], false);
  return { group, time, features };
}

/** Every column but the label, the group and those dropped; or those kept, in the order of `keep`. */
function featuresAsked(
  table: Table,
  { drop, keep, time }: ColumnOptions,
  taken: readonly number[],
): readonly PlacedColumn[] {
  if (keep !== undefined) {
    if (drop !== undefined) throw invalidSpec("keep and drop exclude one another: keep names all features");
    const kept = keep.map((name) => columnCalled(table, name));
    const wrong = kept.find(
      ({ index }, i) => taken.includes(index) || kept.findIndex((other) => other.index === index) < i,
    );
    if (wrong !== undefined) throw invalidSpec(`keep names ${wrong.name} twice, or the label or the group`);
    return kept;
  }
  // A time that orders the rows of one study says nothing about the next one; keep= takes it as a feature.
  const left = [...(drop ?? []), ...(time === undefined ? [] : [time])].map((name) => columnCalled(table, name).index);
  if (left.some((index) => taken.includes(index))) throw invalidSpec("drop names the label or the group");
  const features = table.columns
    .map((name, index) => ({ name, index }))
    .filter(({ index }) => !taken.includes(index) && !left.includes(index));
  const unnamed = features.find(({ name }) => table.unnamed.includes(name));
  if (unnamed !== undefined)
    throw refusal(
      "DATASET_COLUMN_UNNAMED",
      { path: table.path, column: unnamed.name },
      "the header has no name for it; it may be a row index, from which nothing can be learnt",
      `leave it out with drop=${optionText(unnamed.name)}, or give it a name`,
    );
  return features;
}

function planBySchema(
  label: PlacedColumn | undefined,
  table: Table,
  options: ColumnOptions,
  schema: TableSchema,
): Omit<Plan, "label"> {
  const find = (name: string): PlacedColumn => columnCalled(table, name);
  const features = schema.columns.map((column) => {
    const { mean = 0, stdDev = 1 } = schema.scaling[column.name] ?? {};
    return { ...find(column.name), schema: column, scale: (value: number) => (value - mean) / stdDev };
  });
  const plan = {
    classes: schema.classes,
    target: schema.target,
    features,
    group: options.group === undefined ? undefined : find(options.group),
    time: options.time === undefined ? undefined : find(options.time),
    missing: schema.missing,
    window: schema.window,
    isByTask: true,
  };
  const all = [label, plan.group, plan.time, ...features];
  assertReadable(table, all, true);
  const used = all.map((column) => column?.index);
  const dropped = (options.drop ?? []).map((name) => find(name).index);
  const needed = [...(label === undefined ? [] : [label]), ...features].find(({ index }) => dropped.includes(index));
  // Whoever drops a column believes that the model does not see it.
  if (needed !== undefined)
    throw invalidSpec(
      `drop names ${needed.name}, which the task's document asks for: a client has it or does not take part`,
    );
  const unused = table.columns.filter((_, i) => !used.includes(i) && !dropped.includes(i));
  return { ...plan, unused };
}

/** @throws DATASET_VALUE_INVALID for a column whose values nothing reads */
function assertReadable(
  { path, unreadable }: Table,
  columns: readonly (PlacedColumn | undefined)[],
  isByTask: boolean,
): void {
  const found = columns.find((column) => column !== undefined && unreadable?.has(column.name));
  if (found === undefined) return;
  throw refusal(
    "DATASET_VALUE_INVALID",
    { path, column: found.name },
    unreadable!.get(found.name)!,
    isByTask
      ? "write it as a column of numbers or words, as the task's document asks for it"
      : `leave it out with drop=${optionText(found.name)}, or write it as columns of numbers or words`,
  );
}

function labelByName({ hasHeader, columns }: Table): string | undefined {
  return hasHeader ? columns.find((name) => name.toLowerCase() === LABEL) : undefined;
}

function hasColumn({ columns }: Table, wanted: string): boolean {
  return columns.some((name) => nameKey(name) === nameKey(wanted));
}

/** @throws DATASET_LABEL_UNNAMED */
function unaskedLabel(table: Table): string {
  const named = labelByName(table);
  if (named !== undefined) return named;
  const { path, columns, hasHeader } = table;
  const suggested = columns.find((name) => USUAL_LABELS.includes(nameKey(name)));
  throw refusal(
    "DATASET_LABEL_UNNAMED",
    { path },
    hasHeader
      ? `no column is called ${LABEL}; there are ${listed(columns)}`
      : "it has no header, so that no column is called label",
    hasHeader
      ? `name the label's column with label=${suggested === undefined ? "" : `, such as label=${optionText(suggested)}`}`
      : "say which column is the label with label=first, label=last or its number",
  );
}

/**
 * A column by its name, capitals and what nobody sees aside where that is clear; by `first`, `last` or its number
 * where none has that name.
 * @throws DATASET_COLUMN_ABSENT
 */
export function columnCalled({ path, columns }: Table, wanted: string): PlacedColumn {
  const exact = columns.indexOf(wanted);
  const index = exact >= 0 ? exact : columns.findIndex((name) => nameKey(name) === nameKey(wanted));
  const place = index >= 0 ? index : placeOf(wanted, columns.length);
  const name = columns[place];
  const parts = name === undefined ? columns.filter((column) => column.startsWith(`${wanted}.`)) : [];
  if (parts.length > 0)
    throw refusal(
      "DATASET_COLUMN_ABSENT",
      { path, column: wanted },
      `it is several columns, ${listed(parts)}`,
      "name one of them; labels that are spread over columns, one for each class, have to be written as one",
    );
  if (name === undefined)
    throw refusal(
      "DATASET_COLUMN_ABSENT",
      { path, column: wanted },
      `there is no such column; there are ${listed(columns)}`,
      "correct the name, or the header",
    );
  return { index: place, name };
}

function placeOf(wanted: string, columns: number): number {
  if (wanted === "first") return 0;
  if (wanted === "last") return columns - 1;
  return /^[1-9]\d{0,6}$/.test(wanted) ? Number(wanted) - 1 : -1;
}
