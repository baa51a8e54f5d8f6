/** Tables of numbers with one label column. */
import Papa from "papaparse";
import { VerisumError } from "../../protocol/errors.ts";
import { MAX_DATA_VALUES, readTextFile } from "../data-file.ts";
import type { Dataset } from "../examples.ts";
import { valueScaling } from "../scaling.ts";
import { dataFormat } from "./format.ts";
import { classCountOf, isTable, labelFrom, loadTable, VALUE_OPTIONS, valueOptions } from "./table.ts";
import type { ValueOptions } from "./table.ts";

const ENDINGS = [".csv", ".csv.gz"];
const LABEL_COLUMN = "label";

/**
 * A CSV file (every fifth row is test data) or a folder with train.csv and test.csv.
 *
 * A first row that is not all numbers is a header. The label is the column named `label`, or else the last one: an
 * integer from 0. Comma, semicolon and tab separate columns; a byte order mark and a trailing newline are ignored.
 */
export const csv = dataFormat({
  name: "CSV",
  sources: "file.csv, file.csv.gz, or a folder with train.csv and test.csv",
  options: VALUE_OPTIONS,
  recognises: (source) => isTable(source, ENDINGS),
  load: (source, options) =>
    loadTable(source, ENDINGS, async (path) => parseCsv(await readTextFile(path), path, valueOptions(options))),
});

/**
 * Parses a table; row and column numbers in errors count from 1, the header included.
 * @throws DATASET_EMPTY, DATASET_TOO_LARGE, DATASET_MALFORMED, DATASET_VALUE_INVALID, DATASET_LABEL_INVALID,
 *   DATASET_SPEC_INVALID for a scaling of another number of columns
 */
export function parseCsv(text: string, path: string, options: ValueOptions): Dataset {
  const { data: rows, errors } = Papa.parse<string[]>(text.replace(/^\ufeff/, ""), { skipEmptyLines: true });
  const fatal = errors.find(({ code }) => code !== "UndetectableDelimiter");
  if (fatal !== undefined)
    throw new VerisumError("DATASET_MALFORMED", `${path}, row ${(fatal.row ?? 0) + 1}: ${fatal.message}`, {
      path,
      row: (fatal.row ?? 0) + 1,
    });
  const header = rows[0]?.some((cell) => cell.trim() !== "" && Number.isNaN(Number(cell))) ? rows[0] : undefined;
  const firstRow = header === undefined ? 0 : 1;
  const exampleCount = rows.length - firstRow;
  const columns = rows[0]?.length ?? 0;
  if (exampleCount < 1) throw new VerisumError("DATASET_EMPTY", `${path} holds no example`, { path });
  if (columns < 2) throw new VerisumError("DATASET_MALFORMED", `${path} needs a feature and a label column`, { path });
  if (exampleCount * columns > MAX_DATA_VALUES)
    throw new VerisumError("DATASET_TOO_LARGE", `${path} holds ${exampleCount}×${columns} values`, { path });

  const named = header?.findIndex((name) => name.trim().toLowerCase() === LABEL_COLUMN) ?? -1;
  const labelColumn = named >= 0 ? named : columns - 1;
  const scale = valueScaling(options, columns - 1);
  const features = new Float32Array(exampleCount * (columns - 1));
  const labels = new Int32Array(exampleCount);
  for (let i = 0; i < exampleCount; i++) {
    const cells = rows[firstRow + i]!;
    const row = firstRow + i + 1;
    const place = `${path}, row ${row}`;
    if (cells.length !== columns)
      throw new VerisumError("DATASET_MALFORMED", `${place}: ${cells.length} columns instead of ${columns}`, {
        path,
        row,
      });
    for (let column = 0, feature = 0; column < columns; column++) {
      const value = cells[column]!.trim() === "" ? NaN : Number(cells[column]);
      if (column === labelColumn) {
        labels[i] = labelFrom(value, options.classCount, place, { path, row });
        continue;
      }
      const scaled = Math.fround(scale(value, feature));
      if (!Number.isFinite(scaled))
        throw new VerisumError(
          "DATASET_VALUE_INVALID",
          `${place}, column ${column + 1}: a number is missing or out of range`,
          { path, row, column: column + 1 },
        );
      features[i * (columns - 1) + feature++] = scaled;
    }
  }
  const classCount = classCountOf(labels, options.classCount);
  return { features, labels, exampleCount, featureShape: [columns - 1], classCount };
}
