/** Delimited text: CSV, TSV and their kin. */
import { DELIMITERS } from "../tables/dialect.ts";
import { openCsv } from "../tables/csv-table.ts";
import type { Decimal } from "../tables/table.ts";
import { ENCODINGS, textFile } from "../tables/text.ts";
import type { Encoding } from "../tables/text.ts";
import { invalidSpec, oneOf, percentDecoded } from "./options.ts";
import { tableFormat } from "./table.ts";

const ENDINGS = [".csv", ".csv.gz", ".tsv", ".tsv.gz", ".tab", ".tab.gz"];
const DECIMALS: Readonly<Record<"comma" | "point", Decimal>> = { comma: ",", point: "." };

/**
 * A table in a file, or a folder with train.csv and test.csv. Delimiter, decimal comma and header are found out, or
 * asked where they are unclear; options say them.
 */
export const csv = tableFormat({
  name: "CSV",
  scheme: "csv",
  sources: "file.csv or file.tsv, also with .gz, or a folder with train.csv and test.csv",
  endings: ENDINGS,
  options: {
    delimiter: (name: string, text: string): string => {
      const character = DELIMITERS[text] ?? percentDecoded(name, text);
      if (character.length !== 1 || /["\r\n]/.test(character))
        throw invalidSpec(`${name} must be one character, or ${Object.keys(DELIMITERS).join(", ")}`);
      return character;
    },
    decimal: (name: string, text: string): Decimal => DECIMALS[oneOf("comma", "point")(name, text)],
    header: (name: string, text: string): boolean => oneOf("yes", "no")(name, text) === "yes",
    encoding: (name: string, text: string): Encoding => oneOf(...ENCODINGS)(name, text),
    /** What comment lines begin with, or `none`. */
    comment: (name: string, text: string): string | null => (text === "none" ? null : percentDecoded(name, text)),
  },
  open: (path, { encoding, ...dialect }) => openCsv(textFile(path, encoding), dialect),
});
