import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { after, before, describe, it } from "mocha";
import { loadDataset } from "../../learning/dataset.ts";
import { parseJsonLines } from "../../learning/formats/json-lines.ts";
import type { ValueOptions } from "../../learning/formats/table.ts";
import { VerisumError } from "../../protocol/errors.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { rejectsCode } from "../support/errors.ts";

const PLAIN: ValueOptions = { mean: undefined, stdDev: undefined, classCount: undefined };
const GOOD = '{"x":1,"pixels":[2,3],"label":0}\n';

describe("JSON Lines", () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), "verisum-json-lines-"))));
  after(() => rm(folder, { recursive: true }));

  const file = async (name: string, content: string | Uint8Array): Promise<string> => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };

  it("reads numbers and arrays in the order of their keys, however each line orders them", () => {
    const data = parseJsonLines('{"b":3,"label":1,"a":[1,2]}\n{"a":[4,5e0],"b":-6,"label":0}', "t", PLAIN);
    assert.deepEqual([...data.features], [1, 2, 3, 4, 5, -6]);
    assert.deepEqual([[...data.labels], data.featureShape, data.classCount], [[1, 0], [3], 2]);
  });

  it("ignores a byte order mark, CRLF, blank lines and trailing newlines", () => {
    const data = parseJsonLines('\ufeff{"x":1,"label":0}\r\n\r\n  {"x":2,"label":2}\r\n\n', "t", PLAIN);
    assert.deepEqual([[...data.features], [...data.labels], data.classCount], [[1, 2], [0, 2], 3]);
  });

  it("scales by column and takes the number of classes", () => {
    const options = { mean: [1, 0], stdDev: [2, 1], classCount: 7 };
    const data = parseJsonLines('{"x":5,"y":4,"label":6}', "t", options);
    assert.deepEqual([[...data.features], data.classCount], [[2, 4], 7]);
  });

  it("takes keys that an object inherits as any other", () => {
    const data = parseJsonLines('{"__proto__":1,"constructor":2,"label":0}', "t", PLAIN);
    assert.deepEqual([...data.features], [1, 2]);
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
      assert.deepEqual([...test.features], [0, 5]);
      assert.deepEqual([train.exampleCount, train.classCount], [8, 4]);
    }
    await mkdir(join(folder, "both"));
    await file("both/train.jsonl", ten);
    await rejectsCode(loadDataset(join(folder, "both")), "DATASET_NOT_FOUND");
    await file("both/test.jsonl.gz", gzipSync('{"x":1,"label":5}'));
    const { train, test } = await loadDataset(join(folder, "both"));
    assert.deepEqual([train.exampleCount, test.exampleCount, train.classCount, test.classCount], [10, 1, 6, 6]);
    await file("both/test.jsonl", '{"y":[1,2],"label":5}');
    await rejectsCode(loadDataset(join(folder, "both")), "DATASET_MALFORMED");
  });

  it("refuses files that are empty, cut off in their compression, or no text", async () => {
    await rejectsCode(loadDataset(await file("empty.jsonl", "")), "DATASET_EMPTY");
    const cut = gzipSync(GOOD.repeat(50)).subarray(0, 40);
    await rejectsCode(loadDataset(await file("cut.jsonl.gz", cut)), "DATASET_MALFORMED");
    await rejectsCode(loadDataset(await file("latin.jsonl", Uint8Array.of(0x7b, 0xff, 0x7d))), "DATASET_MALFORMED");
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
    ["null in place of a number", '{"x":null,"pixels":[2,3],"label":0}', "DATASET_VALUE_INVALID"],
    ["text in place of a number", '{"x":"1","pixels":[2,3],"label":0}', "DATASET_VALUE_INVALID"],
    ["an array of arrays", '{"x":1,"pixels":[[2],[3]],"label":0}', "DATASET_VALUE_INVALID"],
    ["an object in place of a number", '{"x":{"y":1},"pixels":[2,3],"label":0}', "DATASET_VALUE_INVALID"],
    ["more than float32 holds", '{"x":1e300,"pixels":[2,3],"label":0}', "DATASET_VALUE_INVALID"],
    ["more than a double holds", '{"x":1e999,"pixels":[2,3],"label":0}', "DATASET_VALUE_INVALID"],
    ["a fractional label", '{"x":1,"pixels":[2,3],"label":0.5}', "DATASET_LABEL_INVALID"],
    ["a negative label", '{"x":1,"pixels":[2,3],"label":-1}', "DATASET_LABEL_INVALID"],
    ["a label in quotes", '{"x":1,"pixels":[2,3],"label":"1"}', "DATASET_LABEL_INVALID"],
  ] satisfies [string, string, ErrorCode][]) {
    it(`refuses ${name}, and says in which line`, () => {
      assert.throws(
        () => parseJsonLines(`${GOOD}\n${line}\n`, "t", PLAIN),
        (error) => {
          assert.ok(error instanceof VerisumError);
          assert.deepEqual([error.code, error.details["line"]], [code, 3]);
          return true;
        },
      );
    });
  }

  it("refuses blank lines alone and a scaling of other columns", () => {
    const codeOf = (text: string, options: ValueOptions): string => {
      try {
        parseJsonLines(text, "t", options);
      } catch (error) {
        return (error as VerisumError).code;
      }
      return "none";
    };
    assert.equal(codeOf("\n \n", PLAIN), "DATASET_EMPTY");
    assert.equal(codeOf(GOOD, { ...PLAIN, mean: [1, 2] }), "DATASET_SPEC_INVALID");
    assert.equal(codeOf('{"x":1,"label":3}', { ...PLAIN, classCount: 3 }), "DATASET_LABEL_INVALID");
  });
});
