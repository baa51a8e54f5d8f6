/** Numbers separated by blanks, a row a line, as UCI's sets are written. */
import { VerisumError } from "../../protocol/errors.ts";
import type { Growing } from "./growing.ts";
import { linesOf } from "./lines.ts";
import { refusal } from "./table.ts";
import { textFile } from "./text.ts";
import { floatFrom } from "./values.ts";

/**
 * Appends all values, row by row.
 * @param width of each row; that of the first row if it is absent
 * @returns rows and their width
 * @throws DATASET_EMPTY, DATASET_MALFORMED, DATASET_VALUE_INVALID, DATASET_TOO_LARGE, and what reading throws
 */
export async function readTextMatrix(
  path: string,
  values: Pick<Growing<Float32Array>, "length"> & { push(row: Float32Array): void },
  width?: number,
): Promise<{ readonly rows: number; readonly width: number }> {
  let columns = width;
  let rows = 0;
  for await (const lines of linesOf(textFile(path, "utf-8")))
    for (const { number, text } of lines) {
      const cells = text.split(/\s+/);
      columns ??= cells.length;
      if (cells.length !== columns)
        throw refusal(
          "DATASET_MALFORMED",
          { path, row: number },
          `it has ${cells.length} values instead of ${columns}`,
          "download the file again",
        );
      values.push(
        Float32Array.from(cells, (cell, i) =>
          floatFrom(cell, { path, row: number, column: String(i + 1), value: cell }),
        ),
      );
      rows++;
    }
  if (columns === undefined || rows === 0) throw new VerisumError("DATASET_EMPTY", `${path} holds no row`, { path });
  return { rows, width: columns };
}
