/** Tables of numbers with one label column. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import Papa from "papaparse";
import { VerisumError } from "../protocol/errors.ts";
import { MAX_DATA_VALUES, readDataFile } from "./data-file.ts";
import type { Dataset, LoadedData, SpecOptions } from "./samples.ts";
import { splitEveryFifth } from "./partition.ts";
import { valueScaling } from "./scaling.ts";

const MAX_CSV_BYTES = 1 << 28;
const LABEL_COLUMN = "label";

/**
 * Loads a CSV file (every fifth row is test data) or a directory with train.csv and test.csv.
 *
 * A first row that is not all numbers is a header. The label is the column named `label`, or else the last one: an
 * integer from 0. Comma, semicolon and tab separate columns; a byte order mark and a trailing newline are ignored.
 *
 * @throws DATASET_NOT_FOUND, DATASET_EMPTY, DATASET_TOO_LARGE, DATASET_MALFORMED, DATASET_VALUE_INVALID,
 * DATASET_LABEL_INVALID
 */
export async function loadCsv(path: string, options: SpecOptions): Promise<LoadedData> {
  if (!(await stat(path)).isDirectory()) return splitEveryFifth(await readCsv(path, options));
  const train = await readCsv(join(path, "train.csv"), options);
  const test = await readCsv(join(path, "test.csv"), options);
  if (train.featureShape.join() !== test.featureShape.join())
    throw new VerisumError("DATASET_MALFORMED", "train.csv and test.csv differ in columns", { path });
  const classCount = Math.max(train.classCount, test.classCount);
  return { train: { ...train, classCount }, test: { ...test, classCount } };
}

async function readCsv(path: string, options: SpecOptions): Promise<Dataset> {
  const bytes = await readDataFile(path, MAX_CSV_BYTES);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new VerisumError("DATASET_MALFORMED", `${path} is not UTF-8 text`, { path }, { cause });
  }
  return parseCsv(text, path, options);
}

/** Parses a table; row and column numbers in errors count from 1, the header included. */
export function parseCsv(text: string, path: string, options: SpecOptions): Dataset {
  const { data: rows, errors } = Papa.parse<string[]>(text.replace(/^\ufeff/, ""), { skipEmptyLines: true });
  const fatal = errors.find(({ code }) => code !== "UndetectableDelimiter");
  if (fatal !== undefined)
    throw new VerisumError("DATASET_MALFORMED", `${path}, row ${(fatal.row ?? 0) + 1}: ${fatal.message}`, {
      path,
      row: (fatal.row ?? 0) + 1,
    });
  const header = rows[0]?.some((cell) => cell.trim() !== "" && Number.isNaN(Number(cell))) ? rows[0] : undefined;
  const firstRow = header === undefined ? 0 : 1;
  const sampleCount = rows.length - firstRow;
  const columns = rows[0]?.length ?? 0;
  if (sampleCount < 1) throw new VerisumError("DATASET_EMPTY", `${path} holds no sample`, { path });
  if (columns < 2) throw new VerisumError("DATASET_MALFORMED", `${path} needs a feature and a label column`, { path });
  if (sampleCount * columns > MAX_DATA_VALUES)
    throw new VerisumError("DATASET_TOO_LARGE", `${path} holds ${sampleCount}×${columns} values`, { path });

  const named = header?.findIndex((name) => name.trim().toLowerCase() === LABEL_COLUMN) ?? -1;
  const labelColumn = named >= 0 ? named : columns - 1;
  const scale = valueScaling(options, columns - 1);
  const features = new Float32Array(sampleCount * (columns - 1));
  const labels = new Int32Array(sampleCount);
  for (let i = 0; i < sampleCount; i++) {
    const cells = rows[firstRow + i]!;
    const row = firstRow + i + 1;
    if (cells.length !== columns)
      throw new VerisumError(
        "DATASET_MALFORMED",
        `${path}, row ${row}: ${cells.length} columns instead of ${columns}`,
        { path, row },
      );
    for (let column = 0, feature = 0; column < columns; column++) {
      const value = cells[column]!.trim() === "" ? NaN : Number(cells[column]);
      if (column === labelColumn) labels[i] = labelFrom(value, options.classCount, path, row);
      else {
        const scaled = Math.fround(scale(value, feature));
        if (!Number.isFinite(scaled)) {
          throw new VerisumError(
            "DATASET_VALUE_INVALID",
            `${path}, row ${row}, column ${column + 1}: a number is missing or out of range`,
            { path, row, column: column + 1 },
          );
        }
        features[i * (columns - 1) + feature++] = scaled;
      }
    }
  }
  const classCount = options.classCount ?? Math.max(2, labels.reduce((a, b) => Math.max(a, b), 0) + 1);
  return { features, labels, sampleCount, featureShape: [columns - 1], classCount };
}

function labelFrom(value: number, classCount: number | undefined, path: string, row: number): number {
  if (!Number.isInteger(value) || value < 0 || value >= (classCount ?? 65_536)) {
    throw new VerisumError(
      "DATASET_LABEL_INVALID",
      `${path}, row ${row}: the label is not an integer from 0 to ${(classCount ?? 65_536) - 1}`,
      { path, row },
    );
  }
  return value;
}
