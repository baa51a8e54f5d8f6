/** Delimited text as it is met: what is found out, and what is asked because it could be read in two ways. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { after, before, describe, it } from "mocha";
import { openCsv } from "../../learning/tables/csv-table.ts";
import { textOf } from "../../learning/tables/text.ts";
import type { ErrorCode, ErrorDetails } from "../../protocol/errors.ts";
import { rejectsCode } from "../support/errors.ts";
import { readWhole, temporaryFolder } from "../support/tables.ts";
import type { Folder } from "../support/tables.ts";

type Content = string | Uint8Array;
/** What it is, the file, options. */
type Case = readonly [name: string, content: Content, options?: string];

/** Two rows, 1.5 2 class 0 and 3.5 -4 class 1, written in many ways. */
const ROWS = [
  [1.5, 2],
  [3.5, -4],
];

const utf16 = (text: string, littleEndian: boolean): Uint8Array => {
  const bytes = Buffer.from(text, "utf16le");
  return littleEndian ? bytes : bytes.swap16();
};
const latin1 = (text: string): Uint8Array => Buffer.from(text, "latin1");

const SAME: readonly Case[] = [
  ["commas", "a,b,label\n1.5,2,0\n3.5,-4,1\n"],
  ["semicolons", "a;b;label\n1.5;2;0\n3.5;-4;1\n"],
  ["tabs", "a\tb\tlabel\n1.5\t2\t0\n3.5\t-4\t1\n"],
  ["pipes", "a|b|label\n1.5|2|0\n3.5|-4|1\n"],
  ["blanks, where they are asked for", "a b label\n1.5 2 0\n3.5 -4 1\n", "delimiter=space"],
  ["another character, where it is asked for", "a:b:label\n1.5:2:0\n3.5:-4:1\n", "delimiter=:"],
  ["a percent-encoded delimiter", "a%b%label\n1.5%2%0\n3.5%-4%1\n", "delimiter=%25"],
  ["no newline at the end", "a,b,label\n1.5,2,0\n3.5,-4,1"],
  ["CR LF", "a,b,label\r\n1.5,2,0\r\n3.5,-4,1\r\n"],
  ["CR alone", "a,b,label\r1.5,2,0\r3.5,-4,1\r"],
  ["ends of lines of three kinds", "a,b,label\r\n1.5,2,0\r3.5,-4,1\n"],
  ["blank lines", "\n\na,b,label\n\n1.5,2,0\n   \n3.5,-4,1\n\n\n"],
  ["rows of delimiters alone, as spreadsheets write them", "a,b,label\n1.5,2,0\n,,\n3.5,-4,1\n,,\n,,\n"],
  ["a byte order mark", "\ufeffa,b,label\n1.5,2,0\n3.5,-4,1\n"],
  ["a byte order mark before a sep= line", "\ufeffsep=;\r\na;b;label\r\n1,5;2;0\r\n3,5;-4;1\r\n"],
  ["a sep= line", "sep=|\na|b|label\n1.5|2|0\n3.5|-4|1\n"],
  ["a quoted sep= line", '"sep=,"\na,b,label\n1.5,2,0\n3.5,-4,1\n'],
  ["UTF-16 with a byte order mark", utf16("\ufeffa\tb\tlabel\r\n1.5\t2\t0\r\n3.5\t-4\t1\r\n", true)],
  ["UTF-16 of the other byte order", utf16("\ufeffa,b,label\n1.5,2,0\n3.5,-4,1\n", false)],
  ["UTF-16 without a mark, by option", utf16("a,b,label\n1.5,2,0\n3.5,-4,1\n", true), "encoding=utf-16le"],
  ["UTF-16BE without a mark, by option", utf16("a,b,label\n1.5,2,0\n3.5,-4,1\n", false), "encoding=utf-16be"],
  ["Latin-1, by option", latin1("größe,b,label\n1.5,2,0\n3.5,-4,1\n"), "encoding=latin1"],
  ["a mark that is stronger than the option", "\ufeffgröße,b,label\n1.5,2,0\n3.5,-4,1\n", "encoding=latin1"],
  ["gzip under any name", gzipSync("a,b,label\n1.5,2,0\n3.5,-4,1\n")],
  ["quotes around every cell", '"a","b","label"\n"1.5","2","0"\n"3.5","-4","1"\n'],
  ["blanks around numbers", "a, b ,label\n 1.5 , 2,0 \n3.5,\t-4,1\n"],
  ["a newline within a quoted name", '"a\nof it",b,label\n1.5,2,0\n3.5,-4,1\n'],
  ["quotes within quotes", '"a ""of"" it",b,label\n1.5,2,0\n3.5,-4,1\n'],
  ["delimiters within quotes", '"a, of it",b,label\n1.5,2,0\n3.5,-4,1\n'],
  ["exponents, signs and bare points", "a,b,label\n+15e-1,2.,0\n.35E1,-40e-1,1\n"],
  ["decimal commas between semicolons", "a;b;label\n1,5;2;0\n3,5;-4;1\n"],
  ["decimal commas between tabs", "a\tb\tlabel\n1,5\t2\t0\n3,5\t-4\t1\n"],
  ["decimal commas in quotes between commas", 'a,b,label\n"1,5","2,0",0\n"3,5","-4",1\n'],
  ["decimal commas with three digits, by option", "a;b;label\n1,500;2;0\n3,500;-4;1\n", "decimal=comma"],
  ["decimal commas without a header", "1,5;2;0\n3,5;-4;1\n", "label=last"],
  ["numbers without a header", "1.5,2,0\n3.5,-4,1\n", "label=last"],
  ["an empty last column", "a,b,label,\n1.5,2,0,\n3.5,-4,1,\n"],
  ["several empty last columns", "a,b,label,,,\n1.5,2,0,,,\n3.5,-4,1,,,\n"],
  ["delimiters at the ends of rows, not of the header", "a,b,label\n1.5,2,0,\n3.5,-4,1,\n"],
  ["an empty last column without a header", "1.5,2,0,\n3.5,-4,1,\n", "label=3"],
  ["comments before the header", "# from the ward\n# 2024\na,b,label\n1.5,2,0\n3.5,-4,1\n"],
  ["comments anywhere, by option", "a,b,label\n#x\n1.5,2,0\n# y\n3.5,-4,1\n", "comment=%23"],
  ["comments of another kind", "% ARFF-like\na,b,label\n1.5,2,0\n% end\n3.5,-4,1\n", "comment=%25"],
  ["a name that begins with #", "#a,b,label\n1.5,2,0\n3.5,-4,1\n", "comment=none"],
  ["a header of years, by option", "2019,2020,label\n1.5,2,0\n3.5,-4,1\n", "header=yes"],
  ["a count of columns as the header, by option", "0,1,2\n1.5,2,0\n3.5,-4,1\n", "header=yes&label=last"],
];

const REFUSED: readonly (readonly [
  name: string,
  content: Content,
  options: string,
  code: ErrorCode,
  details?: ErrorDetails,
])[] = [
  ["an empty file", "", "", "DATASET_EMPTY"],
  ["blank lines alone", "\n \n\n", "", "DATASET_EMPTY"],
  ["comments alone", "# a\n# b\n", "", "DATASET_EMPTY"],
  ["a header alone", "a,b,label\n", "", "DATASET_EMPTY"],
  ["one column", "a\n1\n2\n", "", "DATASET_DIALECT_UNCLEAR"],
  ["columns between blanks that nobody named", "a b label\n1 2 0\n3 4 1\n", "", "DATASET_DIALECT_UNCLEAR"],
  ["two delimiters that would both do", "1|2;0\n3|4;1\n", "label=last", "DATASET_DIALECT_UNCLEAR"],
  [
    "numbers that may be thousands",
    "a;b;label\n1,234;2;0\n5,678;3;1\n",
    "",
    "DATASET_DIALECT_UNCLEAR",
    { value: "1,234" },
  ],
  ["commas and points", "a;b;label\n1,5;2.5;0\n1;2;1\n", "", "DATASET_DIALECT_UNCLEAR", { value: "1,5" }],
  ["thousands separators", 'a,b,label\n"1,234,567",2,0\n1,2,1\n', "", "DATASET_VALUE_INVALID", { row: 2, column: "a" }],
  [
    "a point where decimals have a comma",
    "a;b;label\n1,5;2;0\n1.5;2;1\n",
    "decimal=comma",
    "DATASET_VALUE_INVALID",
    { row: 3, value: "1.5" },
  ],
  ["a short row", "a,b,label\n1,2,0\n1,1\n", "", "DATASET_MALFORMED", { row: 3 }],
  ["a long row", "a,b,label\n1,2,0\n1,2,0,7\n", "", "DATASET_MALFORMED", { row: 3, value: "7" }],
  [
    "row names that the header lacks, as R writes them",
    "a,b,label\nr1,1,2,0\nr2,1,2,1\n",
    "",
    "DATASET_MALFORMED",
    { row: 2 },
  ],
  ["a header in the middle", "a,b,label\n1,2,0\na,b,label\n3,4,1\n", "", "DATASET_MALFORMED", { row: 3 }],
  ["a quote that is not closed", 'a,b,label\n1,"2,0\n3,4,1\n', "", "DATASET_MALFORMED", { row: 2 }],
  ["text after a quote", 'a,b,label\n1,"2"x,0\n3,4,1\n', "", "DATASET_MALFORMED", { row: 2 }],
  [
    "a value in a last column without a name",
    "a,b,label,\n1,2,0,\n1,2,1,9\n",
    "",
    "DATASET_COLUMN_UNNAMED",
    { column: "4" },
  ],
  ["gzip that is cut off", gzipSync("a,b,label\n".repeat(500)).subarray(0, 25), "", "DATASET_MALFORMED"],
  ["a workbook under another name", Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0), "", "DATASET_MALFORMED"],
  ["Latin-1 that nobody named", latin1("a,b,label\n1,2,0\ngröße,4,1\n"), "", "DATASET_ENCODING_UNKNOWN", { row: 3 }],
  ["UTF-16 without a mark", utf16("a,b,label\n1,2,0\n", true), "", "DATASET_ENCODING_UNKNOWN"],
  ["text that ends within a character", Uint8Array.of(0x61, 0x2c, 0xc3), "", "DATASET_ENCODING_UNKNOWN"],
  [
    "a count line for a header",
    "40,2,setosa\n1.5,2,0\n3,4,1\n",
    "",
    "DATASET_HEADER_UNCLEAR",
    { row: 1, column: "1", value: "40" },
  ],
  [
    "a header of words and years",
    "ward,2019,2020,label\n1,2,3,0\n3,4,5,1\n",
    "",
    "DATASET_HEADER_UNCLEAR",
    { value: "2019" },
  ],
  ["a country with years above its like", "land,2019,2020\nCH,5.1,6\nDE,7,8\n", "label=last", "DATASET_HEADER_UNCLEAR"],
  ["a count of the columns", "0,1,2\n1.5,2,0\n3.5,4,1\n", "label=last", "DATASET_HEADER_UNCLEAR"],
  [
    "words that recur below",
    "F,yes,benign\nM,no,malignant\nF,no,benign\n",
    "label=last",
    "DATASET_HEADER_UNCLEAR",
    { value: "F" },
  ],
  [
    "a header behind a comment sign",
    "#a,b,label\n1.5,2,0\n3.5,-4,1\n",
    "label=last",
    "DATASET_HEADER_UNCLEAR",
    { row: 1 },
  ],
  ["a delimiter of two characters", "a,b,label\n1,2,0\n", "delimiter=ab", "DATASET_SPEC_INVALID"],
  ["a quote as delimiter", "a,b,label\n1,2,0\n", 'delimiter="', "DATASET_SPEC_INVALID"],
  ["an unknown decimal", "a,b,label\n1,2,0\n", "decimal=dot", "DATASET_SPEC_INVALID"],
  ["an unknown encoding", "a,b,label\n1,2,0\n", "encoding=ebcdic", "DATASET_SPEC_INVALID"],
  ["a header that is perhaps one", "a,b,label\n1,2,0\n", "header=maybe", "DATASET_SPEC_INVALID"],
];

describe("delimited text", () => {
  let folder: Folder;
  before(async () => (folder = await temporaryFolder()));
  after(() => folder.remove());

  SAME.forEach(([name, content, options = ""], i) => {
    it(`is read with ${name}`, async () => {
      const path = await folder.file(`same-${i}.csv`, content);
      const { rows, labels } = await readWhole(options === "" ? path : `${path}?${options}`);
      assert.deepEqual([rows, labels], [ROWS, [0, 1]]);
    });
  });

  REFUSED.forEach(([name, content, options, code, details], i) => {
    it(`is refused with ${name}`, async () => {
      const path = await folder.file(`refused-${i}.csv`, content);
      await rejectsCode(readWhole(options === "" ? path : `${path}?${options}`), code, details);
    });
  });

  it("is read under another name by its scheme", async () => {
    const path = await folder.file("export.txt", "a,b,label\n1.5,2,0\n3.5,-4,1\n");
    await rejectsCode(readWhole(path), "DATASET_MALFORMED");
    assert.deepEqual((await readWhole(`csv:${path}`)).rows, ROWS);
    await rejectsCode(readWhole("csv:nowhere.txt"), "DATASET_NOT_FOUND");
  });

  it("says how it was read, and what was left out", async () => {
    const path = await folder.file("noted.csv", "# made today\na;b;label;\n1,5;2;0;\n3,5;-4;1;\n");
    const { notes } = await openCsv(textOf(path, "# made today\na;b;label;\n1,5;2;0;\n3,5;-4;1;\n"));
    assert.deepEqual(
      notes.map(({ event }) => event),
      ["dialect", "comments", "trailing-column"],
    );
    assert.match(notes[0]!.text, /semicolon, decimal comma, a header/);
  });

  it("counts rows as an editor counts lines, with comments, blank lines and newlines in cells", async () => {
    const path = await folder.file("lines.csv", '# one\n\na,b,label\n1,2,0\n\n"3",4,1\nx,5,0\n');
    await rejectsCode(readWhole(path), "DATASET_VALUE_INVALID", { row: 7, column: "a", value: "x" });
    const tall = await folder.file("tall.csv", 'a,"b\n2",label\n1,2,0\ny,4,1\n');
    await rejectsCode(readWhole(tall), "DATASET_VALUE_INVALID", { row: 4, value: "y" });
  });

  it("is the same whatever the pieces in which it arrives", async () => {
    const text = 'a,"b ""x""",label\r\n1.5,"2",0\r\n3.5,-4,1\r\n';
    for (let size = 1; size < 9; size++) {
      const pieces = text.match(new RegExp(`[^]{1,${size}}`, "g"))!;
      const table = await openCsv({
        path: "pieces",
        async *open() {
          for (const piece of pieces) yield* textOf("piece", piece).open();
        },
      });
      const rows = [];
      for await (const batch of table.batches()) rows.push(...batch);
      assert.deepEqual(
        rows.map(({ cells }) => cells),
        [
          ["1.5", "2", "0"],
          ["3.5", "-4", "1"],
        ],
        `pieces of ${size}`,
      );
    }
  });
});
