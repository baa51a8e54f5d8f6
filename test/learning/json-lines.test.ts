import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { after, before, describe, it } from "mocha";
import { loadDataset } from "../../learning/dataset.ts";
import { tableSchema } from "../../learning/tables/schema.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { rejectsCode } from "../support/errors.ts";
import { readWhole } from "../support/tables.ts";

const GOOD = '{"x":1,"pixels":[2,3],"label":0}\n';

describe("JSON Lines", () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), "verisum-json-lines-"))));
  after(() => rm(folder, { recursive: true }));

  const file = async (name: string, content: string | Uint8Array): Promise<string> => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };

  it("reads numbers and arrays in the order of their keys, however each line orders them", async () => {
    const path = await file("order.jsonl", '{"b":3,"label":1,"a":[1,2]}\n{"a":[4,5e0],"b":-6,"label":0}');
    const { names, rows, labels, classCount } = await readWhole(path);
    assert.deepEqual(names, ["a.0", "a.1", "b"]);
    assert.deepEqual(
      [rows, labels, classCount],
      [
        [
          [1, 2, 3],
          [4, 5, -6],
        ],
        [1, 0],
        2,
      ],
    );
  });

  it("ignores a byte order mark, CRLF, blank lines and trailing newlines", async () => {
    const path = await file("blank.jsonl", '\ufeff{"x":1,"label":0}\r\n\r\n  {"x":2,"label":2}\r\n\n');
    const { rows, labels, classCount } = await readWhole(path);
    assert.deepEqual([rows, labels, classCount], [[[1], [2]], [0, 2], 3]);
  });

  it("scales by column, and takes columns and classes by name", async () => {
    const path = await file("named.jsonl", '{"x":5,"y":4,"z":0,"kind":"b"}\n{"x":1,"y":4,"z":0,"kind":"a"}');
    const { rows, labels } = await readWhole(`${path}?label=kind&classes=a,b&keep=y,x&mean=0,1&deviation=1,2`);
    assert.deepEqual(
      [rows, labels],
      [
        [
          [4, 2],
          [4, 0],
        ],
        [1, 0],
      ],
    );
  });

  it("takes keys that an object inherits as any other", async () => {
    const path = await file("inherited.jsonl", '{"__proto__":1,"constructor":2,"label":0}');
    assert.deepEqual((await readWhole(path)).rows, [[1, 2]]);
  });

  it("takes numbers in quotes, and words where the task lists them", async () => {
    const path = await file("quoted.jsonl", '{"x":"1.5","sex":"F","label":"1"}\n{"x":2,"sex":"M","label":0}');
    const schema = tableSchema.parse({
      label: "label",
      classes: ["0", "1"],
      columns: [
        { name: "sex", type: "category", values: ["M", "F"] },
        { name: "x", type: "number" },
      ],
    });
    const { rows, labels } = await readWhole(path, schema);
    assert.deepEqual(
      [rows, labels],
      [
        [
          [0, 1, 1.5],
          [1, 0, 2],
        ],
        [1, 0],
      ],
    );
  });

  it("loads plain and gzipped files of each ending, and a folder, as a --data argument", async () => {
    const ten = Array.from({ length: 10 }, (_, i) => JSON.stringify({ x: i, label: i % 2 })).join("\n");
    for (const [name, content] of [
      ["ten.jsonl", ten],
      ["ten.ndjson", ten],
      ["ten.jsonl.gz", gzipSync(ten)],
      ["ten.ndjson.gz", gzipSync(ten)],
    ] as const) {
      const { train, test } = await loadDataset(`${await file(name, content)}?mean=0&classes=4`);
      assert.deepEqual([test.exampleCount, train.exampleCount, train.classCount], [2, 8, 4]);
    }
    await mkdir(join(folder, "both"));
    await file("both/train.jsonl", ten);
    await rejectsCode(loadDataset(join(folder, "both")), "DATASET_NOT_FOUND");
    await file("both/test.jsonl.gz", gzipSync('{"x":1,"label":5}'));
    const { train, test } = await loadDataset(join(folder, "both"));
    assert.deepEqual([train.exampleCount, test.exampleCount, train.classCount, test.classCount], [10, 1, 6, 6]);
    await file("both/test.jsonl", '{"y":[1,2],"label":5}');
    await rejectsCode(loadDataset(join(folder, "both")), "DATASET_COLUMN_ABSENT");
  });

  it("refuses files that are empty, cut off in their compression, or no text", async () => {
    await rejectsCode(loadDataset(await file("empty.jsonl", "")), "DATASET_EMPTY");
    const cut = gzipSync(GOOD.repeat(50)).subarray(0, 40);
    await rejectsCode(loadDataset(await file("cut.jsonl.gz", cut)), "DATASET_MALFORMED");
    await rejectsCode(
      loadDataset(await file("latin.jsonl", Uint8Array.of(0x7b, 0xff, 0x7d))),
      "DATASET_ENCODING_UNKNOWN",
    );
    await rejectsCode(loadDataset(`${await file("good.jsonl", GOOD)}?color=red`), "DATASET_SPEC_INVALID");
  });

  for (const [name, line, code] of [
    ["a truncated line", '{"x":1,"pixels":[2,3],"lab', "DATASET_MALFORMED"],
    ["two objects in a line", `${GOOD.trim()}${GOOD.trim()}`, "DATASET_MALFORMED"],
    ["a line that is an array", "[1,2,0]", "DATASET_MALFORMED"],
    ["a line that is null", "null", "DATASET_MALFORMED"],
    ["NaN, which JSON does not have", '{"x":NaN,"pixels":[2,3],"label":0}', "DATASET_MALFORMED"],
    ["a missing key", '{"x":1,"label":0}', "DATASET_MALFORMED"],
    ["a key more", '{"x":1,"pixels":[2,3],"y":1,"label":0}', "DATASET_MALFORMED"],
    ["another key", '{"y":1,"pixels":[2,3],"label":0}', "DATASET_MALFORMED"],
    ["a shorter array", '{"x":1,"pixels":[2],"label":0}', "DATASET_MALFORMED"],
    ["an array for a number", '{"x":[1],"pixels":[2,3],"label":0}', "DATASET_MALFORMED"],
    ["no label", '{"x":1,"pixels":[2,3]}', "DATASET_MALFORMED"],
    ["a label alone", '{"label":1}', "DATASET_MALFORMED"],
    ["thousands of open brackets", `{"x":${"[".repeat(100_000)}`, "DATASET_MALFORMED"],
    ["a longer line than any data needs", `{"x":${" ".repeat(1 << 24)}1,"label":0}`, "DATASET_TOO_LARGE"],
    ["null in place of a number", '{"x":null,"pixels":[2,3],"label":0}', "DATASET_VALUE_MISSING"],
    ["a word in place of a number", '{"x":"one","pixels":[2,3],"label":0}', "DATASET_VALUE_INVALID"],
    ["an array of arrays", '{"x":1,"pixels":[[2],[3]],"label":0}', "DATASET_VALUE_INVALID"],
    ["an object in place of a number", '{"x":{"y":1},"pixels":[2,3],"label":0}', "DATASET_VALUE_INVALID"],
    ["more than float32 holds", '{"x":1e300,"pixels":[2,3],"label":0}', "DATASET_VALUE_INVALID"],
    ["more than a double holds", '{"x":1e999,"pixels":[2,3],"label":0}', "DATASET_VALUE_INVALID"],
    ["a fractional label", '{"x":1,"pixels":[2,3],"label":0.5}', "DATASET_LABEL_INVALID"],
    ["a negative label", '{"x":1,"pixels":[2,3],"label":-1}', "DATASET_LABEL_INVALID"],
    ["a word for a label", '{"x":1,"pixels":[2,3],"label":"one"}', "DATASET_CLASSES_UNSTATED"],
    ["keys that differ in capitals only", '{"x":1,"X":1,"label":0}', "DATASET_MALFORMED"],
  ] satisfies [string, string, ErrorCode][]) {
    it(`refuses ${name}, and says in which line`, async () => {
      const path = await file("bad.jsonl", `${GOOD}\n${line}\n`);
      await rejectsCode(readWhole(path), code, { row: 3 });
    });
  }

  it("refuses blank lines alone, a label alone, a scaling of other columns and a class beyond the number", async () => {
    await rejectsCode(readWhole(await file("none.jsonl", "\n \n")), "DATASET_EMPTY");
    await rejectsCode(readWhole(await file("alone.jsonl", '{"label":1}')), "DATASET_MALFORMED");
    for (const line of ['{"x":1,"x":2,"label":1}', '{"x":1,"\\u0078":2,"label":1}', '{"x":1,"label":1, "x" :1}'])
      await rejectsCode(readWhole(await file("key.jsonl", `{"x":0,"label":0}\n${line}`)), "DATASET_MALFORMED", {
        row: 2,
        column: "x",
      });
    const colons = await readWhole(`${await file("colons.jsonl", '{"x":1,"at":"12:30:00","label":0}\n')}?drop=at`);
    assert.deepEqual(colons.rows, [[1]]);
    await rejectsCode(readWhole(await file("twice.jsonl", '{"x":1,"X":2,"label":1}')), "DATASET_COLUMN_REPEATED");
    await rejectsCode(readWhole(`${await file("good.jsonl", GOOD)}?mean=1,2`), "DATASET_SPEC_INVALID");
    await rejectsCode(
      readWhole(`${await file("three.jsonl", '{"x":1,"label":3}')}?classes=3`),
      "DATASET_LABEL_INVALID",
    );
  });
});
