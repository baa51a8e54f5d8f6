/** Delimited text as a table. Cells and quotes are Papa Parse's; what they are about is found out here. */
import Papa from "papaparse";
import { VerisumError } from "../../protocol/errors.ts";
import type { DataNote } from "../examples.ts";
import { decimalOf, delimiterOf, nameOf } from "./dialect.ts";
import { isHeader } from "./header.ts";
import { readPreamble } from "./preamble.ts";
import { assertDistinct, refusal } from "./table.ts";
import type { Decimal, Row, Table } from "./table.ts";
import type { TextSource } from "./text.ts";

export interface CsvDialect {
  readonly delimiter?: string | undefined;
  readonly decimal?: Decimal | undefined;
  /** Whether the first row names the columns. */
  readonly header?: boolean | undefined;
  /** What comment lines begin with; null for none. `#` before the first row if absent. */
  readonly comment?: string | null | undefined;
}

/** Rows from which the dialect is found out. */
const HEAD_ROWS = 200;
/** Characters of one row: a million values with fifteen digits each. */
const MAX_ROW_CHARACTERS = 1 << 24;
/** How pandas and R write a column that has no name. */
const NO_NAME = /^(unnamed: ?\d+|\.\.\.\d+)?$/i;

interface TextRow {
  readonly number: number;
  readonly cells: readonly string[];
}

/**
 * @throws DATASET_EMPTY, DATASET_MALFORMED, DATASET_DIALECT_UNCLEAR, DATASET_HEADER_UNCLEAR, DATASET_COLUMN_REPEATED,
 *   and what reading throws
 */
export async function openCsv(source: TextSource, dialect: CsvDialect = {}): Promise<Table> {
  const { path } = source;
  const preamble = await readPreamble(source, dialect.comment);
  const comment = dialect.comment ?? undefined;
  const isComment = (line: string): boolean => comment !== undefined && line.startsWith(comment);
  const body = preamble.body.split("\n").filter((line) => !isComment(line));
  if (body.every((line) => line.trim() === ""))
    throw new VerisumError("DATASET_EMPTY", `${path} holds no example`, { path });
  const delimiter = dialect.delimiter ?? preamble.delimiter ?? delimiterOf(body.slice(0, HEAD_ROWS).join("\n"), path);
  const layout = { delimiter, skip: preamble.lines, comment };
  const sample = await firstRows(source, layout);
  const first = sample[0];
  if (first === undefined) throw new VerisumError("DATASET_EMPTY", `${path} holds no example`, { path });
  const decimal =
    dialect.decimal ??
    decimalOf(
      sample.flatMap(({ cells }) => cells),
      path,
      delimiter,
    );
  const rest = sample.slice(1).map(({ cells }) => cells);
  const width = widthWithoutTrailing([first.cells, ...rest]);
  const place = { path, row: first.number };
  const hasHeader = dialect.header ?? isHeader(first.cells.slice(0, width), rest, decimal, place);
  if (preamble.commented !== undefined && hasHeader === false)
    assertNoHeader(preamble.commented, delimiter, width, path);
  const names = first.cells.slice(0, width).map((name) => name.trim());
  const columns = names.map((name, i) => (hasHeader && name !== "" ? name : String(i + 1)));
  if (hasHeader) assertDistinct(columns, { path, row: first.number });
  const trailing: DataNote[] =
    width < first.cells.length
      ? [
          {
            level: "note",
            event: "trailing-column",
            text: `the column without a name and without values at the end of the rows is left out`,
          },
        ]
      : [];
  return {
    path,
    columns,
    hasHeader,
    unnamed: hasHeader ? columns.filter((_, i) => NO_NAME.test(names[i]!)) : [],
    decimal,
    notes: [
      { level: "note", event: "dialect", text: dialectText(delimiter, decimal, hasHeader) },
      ...preamble.notes,
      ...trailing,
    ],
    async *batches() {
      const header = hasHeader ? first.cells : undefined;
      for await (const rows of rowsOf(source, layout))
        yield rows
          .filter(({ number }) => !hasHeader || number > first.number)
          .map((row) => exampleFrom(row, width, header, path));
    },
  };
}

function dialectText(delimiter: string, decimal: Decimal, hasHeader: boolean): string {
  return `columns by ${nameOf(delimiter)}, decimal ${decimal === "." ? "point" : "comma"}, ${hasHeader ? "a header" : "no header"}`;
}

/** One example's cells, as many as there are columns. @throws DATASET_MALFORMED */
function exampleFrom(
  { number, cells }: TextRow,
  width: number,
  header: readonly string[] | undefined,
  path: string,
): Row {
  if (cells.length !== width) {
    const extra = cells.findIndex((cell, i) => i >= width && cell.trim() !== "");
    if (cells.length < width || extra >= 0) {
      const isRowName = cells.length === width + 1 && header !== undefined;
      throw refusal(
        "DATASET_MALFORMED",
        { path, row: number, ...(extra < 0 ? {} : { value: cells[extra]! }) },
        `it has ${cells.length} cells instead of ${width}`,
        isRowName
          ? "if each row begins with a name that the header lacks, as R writes it, write the file without row names"
          : cells[0]!.startsWith("#")
            ? "if it is a comment, say comment=%23"
            : "correct the row, or name the delimiter with delimiter=",
      );
    }
  }
  if (header !== undefined && cells.every((cell, i) => i >= width || cell === header[i]))
    throw refusal("DATASET_MALFORMED", { path, row: number }, "it repeats the header", "take the row out");
  return { number, cells: cells.length === width ? cells : cells.slice(0, width) };
}

/** Columns up to the last one that has a name or a value in these rows. */
function widthWithoutTrailing(rows: readonly (readonly string[])[]): number {
  const first = rows[0]!;
  let width = first.length;
  while (width > 2 && rows.every((cells) => (cells[width - 1] ?? "").trim() === "")) width--;
  return width;
}

/** @throws DATASET_HEADER_UNCLEAR if the comment before a table without a header has as many cells as its rows */
function assertNoHeader(comment: { text: string; row: number }, delimiter: string, width: number, path: string): void {
  if (comment.text.split(delimiter).length !== width) return;
  throw refusal(
    "DATASET_HEADER_UNCLEAR",
    { path, row: comment.row, value: comment.text },
    "this comment may be the header of the table",
    "take its # away, or say with header=no that the columns have no names",
  );
}

interface RowLayout {
  readonly delimiter: string;
  /** Lines before the first row. */
  readonly skip: number;
  readonly comment: string | undefined;
}

async function firstRows(source: TextSource, layout: RowLayout): Promise<readonly TextRow[]> {
  const rows: TextRow[] = [];
  for await (const batch of rowsOf(source, layout)) {
    rows.push(...batch.slice(0, HEAD_ROWS - rows.length));
    if (rows.length === HEAD_ROWS) break;
  }
  return rows;
}

/** Rows that have a value, by the lines at which they begin. @throws DATASET_MALFORMED for quotes, DATASET_TOO_LARGE */
async function* rowsOf(source: TextSource, { delimiter, skip, comment }: RowLayout): AsyncGenerator<TextRow[]> {
  const { path } = source;
  const parser = new Papa.Parser({ delimiter, newline: "\n" });
  let rest = "";
  let line = 1;
  const take = (isLast: boolean): TextRow[] => {
    const { data, errors, meta } = parser.parse(rest, 0, !isLast) as Papa.ParseResult<string[]>;
    const error = errors.find(({ row }) => isLast || (row ?? 0) < data.length);
    rest = isLast ? "" : rest.slice(meta.cursor);
    const rows: TextRow[] = [];
    data.forEach((found, i) => {
      if (found.length === 1 && found[0] === "" && error?.row !== i) {
        line++;
        return;
      }
      const cells = tidied(found, delimiter);
      if (error?.row === i)
        throw refusal(
          "DATASET_MALFORMED",
          { path, row: line },
          error.message,
          'correct the quotes: “""” stands for one within a cell',
        );
      if (cells.some((cell) => cell.trim() !== "") && !(comment !== undefined && cells[0]!.startsWith(comment)))
        rows.push({ number: line, cells });
      line += 1 + newlinesIn(found);
    });
    return rows;
  };
  for await (const text of source.open()) {
    rest += text;
    let at = 0;
    for (let end = rest.indexOf("\n"); line <= skip && end >= 0; end = rest.indexOf("\n", at), line++) at = end + 1;
    rest = rest.slice(at);
    if (line <= skip) continue;
    yield take(false);
    if (rest.length > MAX_ROW_CHARACTERS)
      throw refusal(
        "DATASET_TOO_LARGE",
        { path, row: line },
        "the row does not end",
        "look for a quote that is not closed",
      );
  }
  yield take(true);
}

/** What Papa Parse takes for values: blanks before a quote, and between columns that blanks only separate. */
function tidied(cells: readonly string[], delimiter: string): readonly string[] {
  // Columns that are made even by blanks have several between them.
  if (delimiter === " ") return cells.filter((cell) => cell !== "");
  return cells.some(isPaddedQuote) ? cells.map((cell) => (isPaddedQuote(cell) ? unquoted(cell) : cell)) : cells;
}

function isPaddedQuote(cell: string): boolean {
  if (!cell.startsWith(" ")) return false;
  const text = cell.trim();
  return (
    text.length > 1 &&
    text.startsWith('"') &&
    text.endsWith('"') &&
    !text.slice(1, -1).replaceAll('""', "").includes('"')
  );
}

function unquoted(cell: string): string {
  return cell.trim().slice(1, -1).replaceAll('""', '"');
}

function newlinesIn(cells: readonly string[]): number {
  return cells.reduce((sum, cell) => (cell.includes("\n") ? sum + cell.split("\n").length - 1 : sum), 0);
}
