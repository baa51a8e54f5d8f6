/** JSON Lines: one object a line, its `label` and its features. */
import { openJsonLines } from "../tables/json-lines-table.ts";
import { textFile } from "../tables/text.ts";
import { tableFormat } from "./table.ts";

export const jsonLines = tableFormat({
  name: "JSON Lines",
  scheme: "jsonl",
  sources: "file.jsonl or file.ndjson, also with .gz, or a folder with train.jsonl and test.jsonl",
  endings: [".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz"],
  options: {},
  open: (path) => openJsonLines(textFile(path, "utf-8")),
});
