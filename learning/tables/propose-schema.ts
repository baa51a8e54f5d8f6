/** A schema to start a task from: what one table has, with the label named by the operator. */
import type { DataNote } from "../examples.ts";
import type { OpenTables } from "../formats/format.ts";
import { columnsAsked } from "./plan.ts";
import { profileTable } from "./profile.ts";
import type { ColumnFigures, ColumnProfile } from "./profile.ts";
import { tableSchema } from "./schema.ts";
import type { ColumnSchema, TableSchema } from "./schema.ts";
import { optionText, quoted, refusal } from "./table.ts";

/** More different words are no categories. */
const MOST_CATEGORIES = 64;
const MOST_CLASSES = 1000;
/** Decimal digits of proposed constants: enough for training, and less of the table than all of them. */
const SIGNIFICANT_DIGITS = 3;

export interface SchemaProposal {
  readonly schema: TableSchema;
  /** What the operator should look at before it is published. */
  readonly notes: readonly DataNote[];
}

/**
 * @throws DATASET_LABEL_UNNAMED, DATASET_COLUMN_ABSENT, DATASET_COLUMN_UNNAMED, DATASET_LABEL_INVALID for a label
 *   without classes, DATASET_VALUE_INVALID for a column that is neither numbers, dates nor a few words
 */
export async function proposeSchema({ train, columns }: OpenTables): Promise<SchemaProposal> {
  const { path } = train;
  const { label, features } = columnsAsked(train, columns);
  const { columns: profiles } = await profileTable(train, columns.markers);
  const found = features.map(({ index }) => profiles[index]!);
  const schemas = found.map((profile) => columnFrom(profile, path));
  const scaled = found.filter(({ figures }) => figures !== undefined && figures.stdDev > 0);
  const scaling = Object.fromEntries(scaled.map(({ name, figures }) => [name, constantsFrom(figures!)]));
  const missing = {
    policy: columns.missing ?? "refuse",
    ...(columns.markers === undefined ? {} : { markers: columns.markers }),
  };
  const schema = tableSchema.parse({
    label: label.name,
    ...answersFrom(profiles[label.index]!, columns, path),
    columns: schemas,
    missing,
    scaling,
  });
  return { schema, notes: notesOn(found, scaled.length > 0 || schema.target !== undefined) };
}

function columnFrom({ name, type, distinct, values, firstWord }: ColumnProfile, path: string): ColumnSchema {
  const drop = `leave it out with drop=${optionText(name)}`;
  const place = { path, column: name };
  switch (type) {
    case "number":
    case "date":
      return { name, type };
    case "word":
      if (distinct !== null && distinct >= 2 && distinct <= MOST_CATEGORIES)
        return { name, type: "category", values: values.map(([value]) => value).sort() };
      throw refusal(
        "DATASET_VALUE_INVALID",
        { ...place, ...firstWord },
        `it has ${distinct ?? "too many"} different words, and categories are 2 to ${MOST_CATEGORIES}`,
        drop,
      );
    case "mixed":
      throw refusal(
        "DATASET_VALUE_INVALID",
        { ...place, ...firstWord },
        firstWord === undefined ? "it has numbers and dates" : `it has numbers, and ${quoted(firstWord.value)}`,
        `correct it, say with na= that it stands for no value, or ${drop}`,
      );
    case "empty":
      throw refusal("DATASET_VALUE_INVALID", place, "it has no value", drop);
  }
}

function answersFrom(
  profile: ColumnProfile,
  { classes, target }: OpenTables["columns"],
  path: string,
): Pick<TableSchema, "classes" | "target"> {
  if (target === undefined)
    return { classes: [...(typeof classes === "object" ? classes : classesFrom(profile, path))] };
  const { name, type, figures, firstWord } = profile;
  if (type === "number" && figures !== undefined && figures.stdDev > 0) return { target: constantsFrom(figures) };
  throw refusal(
    "DATASET_LABEL_INVALID",
    { path, column: name, ...firstWord },
    type === "number" ? "all of its values are the same" : "its values are no numbers to predict",
    "name another column with label=, or leave target=number out",
  );
}

/** Words in alphabetical order, numbers in their own. */
function classesFrom({ name, type, distinct, values }: ColumnProfile, path: string): readonly string[] {
  if (distinct === null || distinct < 2 || distinct > MOST_CLASSES)
    throw refusal(
      "DATASET_LABEL_INVALID",
      { path, column: name },
      `it has ${distinct ?? "too many"} different values, and classes are 2 to ${MOST_CLASSES}`,
      "name another column with label=",
    );
  const names = values.map(([value]) => value);
  return type === "number" ? names.sort((a, b) => Number(a) - Number(b)) : names.sort();
}

function notesOn(features: readonly ColumnProfile[], isScaled: boolean): DataNote[] {
  const lacking = features.filter(({ missing }) => missing > 0).map(({ name, missing }) => `${name} (${missing})`);
  return [
    ...(isScaled
      ? [
          {
            level: "warning" as const,
            event: "scaling-public",
            text: "the means and standard deviations are this table's own and become public with the task; put public constants in their place if they must not",
          },
        ]
      : []),
    ...(lacking.length > 0
      ? [
          {
            level: "warning" as const,
            event: "values-missing",
            text: `values are missing in ${lacking.join(", ")}: choose the policy in data.missing`,
          },
        ]
      : []),
  ];
}

/** The standard deviation to three digits, and the mean to the same place. */
export function constantsFrom({ mean, stdDev }: Pick<ColumnFigures, "mean" | "stdDev">): {
  readonly mean: number;
  readonly stdDev: number;
} {
  const place = SIGNIFICANT_DIGITS - 1 - Math.floor(Math.log10(stdDev));
  const unit = 10 ** Math.abs(place);
  return {
    mean: place >= 0 ? Math.round(mean * unit) / unit : Math.round(mean / unit) * unit,
    stdDev: Number(stdDev.toPrecision(SIGNIFICANT_DIGITS)),
  };
}
