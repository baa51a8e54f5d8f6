/** Folders as people have them: read right, or refused by name. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { encode as encodePng } from "fast-png";
import { after, before, describe, it } from "mocha";
import { loadDataset } from "../../learning/dataset.ts";
import type { ErrorCode, ErrorDetails } from "../../protocol/errors.ts";
import { rejectsCode } from "../support/errors.ts";
import { rows, u } from "../support/found.ts";
import { temporaryFolder } from "../support/tables.ts";
import type { Folder } from "../support/tables.ts";

type Files = Readonly<Record<string, string | Uint8Array>>;
/** Training and test examples, and events of notes; or a refusal. */
type Outcome = readonly [train: number, test: number, events: string] | readonly [ErrorCode, ErrorDetails?];

const table = (count: number, line: (i: number) => string = (i) => `${u(i)},${i % 2}`, header = "a,label"): string =>
  `${header}\n${rows(count, line)}\n`;
const OTHERS = (i: number): string => `${u(i) + 2},${i % 2}`;
const png = (width: number, height: number, channels: number, alpha = 255): Uint8Array =>
  encodePng({ width, height, channels, depth: 8, data: new Uint8Array(width * height * channels).fill(alpha) });
const IMAGES = {
  "train/a/1.png": png(2, 2, 1),
  "train/b/1.png": png(2, 2, 1),
  "test/a/1.png": png(2, 2, 1),
  "test/b/1.png": png(2, 2, 1),
};
function idx(dimensions: readonly number[], data: Uint8Array, type = 8): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * dimensions.length + data.length);
  bytes.set([0, 0, type, dimensions.length]);
  dimensions.forEach((side, i) => new DataView(bytes.buffer).setUint32(4 + 4 * i, side));
  bytes.set(data, 4 + 4 * dimensions.length);
  return bytes;
}
const pixels = (from: number): Uint8Array =>
  idx(
    [20, 2, 2],
    Uint8Array.from({ length: 80 }, (_, i) => from + i),
  );
const labels = idx(
  [20],
  Uint8Array.from({ length: 20 }, (_, i) => i % 2),
);
const MNIST = {
  "train-images-idx3-ubyte": pixels(0),
  "train-labels-idx1-ubyte": labels,
  "t10k-images-idx3-ubyte": pixels(100),
  "t10k-labels-idx1-ubyte": labels,
};
const HAR = {
  "activity_labels.txt": "1 STILL\n2 WALK\n",
  "train/X_train.txt": rows(20, (i) => ` ${u(i)} ${u(i + 1)}`),
  "train/y_train.txt": rows(20, (i) => String(1 + (i % 2))),
  "train/subject_train.txt": rows(20, (i) => String(1 + (i % 3))),
  "test/X_test.txt": rows(10, (i) => ` ${u(i) + 1} ${u(i + 1)}`),
  "test/y_test.txt": rows(10, (i) => String(1 + (i % 2))),
  "test/subject_test.txt": rows(10, () => "9"),
};
const series = (count: number, from: number, classes = "a b"): string =>
  `@classLabel true ${classes}\n@data\n${rows(count, (i) => `${from + u(i)},${u(i + 1)}:${i % 2 === 0 ? "a" : "b"}`)}\n`;
const without = (files: Files, name: string): Files =>
  Object.fromEntries(Object.entries(files).filter(([other]) => other !== name));

const FOUND: readonly (readonly [what: string, files: Files, options: string, outcome: Outcome])[] = [
  ["tables", { "train.csv": table(30), "test.csv": table(10, OTHERS) }, "", [30, 10, ""]],
  [
    "a test table with its columns in another order and one more",
    { "train.csv": table(30), "test.csv": table(10, (i) => `x,${i % 2},${u(i) + 2}`, "id,label,a") },
    "",
    [30, 10, ""],
  ],
  [
    "a test table that lacks a column",
    { "train.csv": table(30, (i) => `${u(i)},1,${i % 2}`, "a,b,label"), "test.csv": table(10, OTHERS) },
    "",
    ["DATASET_COLUMN_ABSENT", { column: "b" }],
  ],
  [
    "a test table that lacks a class",
    { "train.csv": table(30, (i) => `${u(i)},${i % 3}`), "test.csv": table(10, OTHERS) },
    "",
    [30, 10, "class-not-in-split"],
  ],
  [
    "the training table as its test table",
    { "train.csv": table(30), "test.csv": table(30) },
    "",
    [30, 30, "test-in-training"],
  ],
  [
    "a test table of the training rows in another order",
    { "train.csv": table(30), "test.csv": table(30, (i) => `${u(29 - i)},${i % 2}`) },
    "",
    [30, 30, "test-in-training"],
  ],
  ["no test table of its format", { "train.csv": table(30), "test.parquet": "x" }, "", ["DATASET_NOT_FOUND"]],
  ["nothing that is known", { "x.bin": "x" }, "", ["DATASET_NOT_FOUND"]],
  ["images", IMAGES, "classes=a,b", [2, 2, ""]],
  ["images of words without an order", IMAGES, "", ["DATASET_CLASSES_UNSTATED"]],
  [
    "hidden files and previews beside images",
    { ...IMAGES, "train/.DS_Store": "x", "train/a/Thumbs.db": "x" },
    "classes=a,b",
    [2, 2, ""],
  ],
  [
    "a class in the test images only",
    { ...IMAGES, "test/c/1.png": png(2, 2, 1) },
    "classes=a,b",
    ["DATASET_LABEL_INVALID"],
  ],
  ["images of two sizes", { ...IMAGES, "train/a/1.png": png(2, 3, 1) }, "classes=a,b", ["DATASET_MALFORMED"]],
  ["transparent pixels", { ...IMAGES, "train/a/1.png": png(2, 2, 4, 0) }, "classes=a,b", ["DATASET_MALFORMED"]],
  ["an image that is text", { ...IMAGES, "train/a/1.png": "hello" }, "classes=a,b", ["DATASET_MALFORMED"]],
  [
    "a PNG called JPEG",
    { ...without(IMAGES, "train/a/1.png"), "train/a/1.jpg": png(2, 2, 1) },
    "classes=a,b",
    [2, 2, ""],
  ],
  ["folders within folders", { ...IMAGES, "train/a/x/1.png": png(2, 2, 1) }, "classes=a,b", ["DATASET_MALFORMED"]],
  ["MNIST's files", MNIST, "", [20, 20, ""]],
  [
    "MNIST's files, one of them gzipped",
    { ...without(MNIST, "t10k-labels-idx1-ubyte"), "t10k-labels-idx1-ubyte.gz": gzipSync(labels) },
    "",
    [20, 20, ""],
  ],
  [
    "a label too few",
    { ...MNIST, "train-labels-idx1-ubyte": idx([19], new Uint8Array(19)) },
    "",
    ["DATASET_MALFORMED"],
  ],
  [
    "images and labels exchanged",
    { ...MNIST, "train-images-idx3-ubyte": labels, "train-labels-idx1-ubyte": pixels(0) },
    "",
    ["DATASET_MALFORMED"],
  ],
  [
    "images of floats",
    { ...MNIST, "train-images-idx3-ubyte": idx([5, 2, 2], new Uint8Array(80), 0x0d) },
    "",
    ["DATASET_MALFORMED"],
  ],
  [
    "a page of a web server in place of images",
    { ...MNIST, "train-images-idx3-ubyte": "<html>" },
    "",
    ["DATASET_MALFORMED"],
  ],
  ["a human-activity set", HAR, "", [20, 10, ""]],
  [
    "a human-activity set with Windows' line ends",
    Object.fromEntries(Object.entries(HAR).map(([name, text]) => [name, text.replaceAll("\n", "\r\n")])),
    "",
    [20, 10, ""],
  ],
  [
    "a subject in both parts",
    { ...HAR, "test/subject_test.txt": rows(10, () => "2") },
    "",
    ["DATASET_MALFORMED", { subject: "2" }],
  ],
  [
    "an activity without a name",
    { ...HAR, "train/y_train.txt": rows(20, (i) => String(1 + (i % 3))) },
    "",
    ["DATASET_LABEL_INVALID", { row: 3, value: "3" }],
  ],
  [
    "a matrix with commas",
    { ...HAR, "train/X_train.txt": rows(20, () => "1,2") },
    "",
    ["DATASET_VALUE_INVALID", { row: 1, value: "1,2" }],
  ],
  [
    "a matrix with a hole",
    { ...HAR, "train/X_train.txt": rows(20, (i) => (i === 3 ? "NaN 1" : "1 2")) },
    "",
    ["DATASET_VALUE_INVALID", { row: 4, column: "1" }],
  ],
  ["no subjects", without(HAR, "train/subject_train.txt"), "", ["DATASET_NOT_FOUND"]],
  ["a time-series set", { "A_TRAIN.ts": series(20, 0), "A_TEST.ts": series(10, 2) }, "", [20, 10, ""]],
  [
    "a time-series set with an unknown class",
    { "A_TRAIN.ts": series(20, 0), "A_TEST.ts": series(10, 2).replaceAll(":b", ":c") },
    "",
    ["DATASET_LABEL_INVALID", { value: "c" }],
  ],
  [
    "two training sets",
    { "A_TRAIN.ts": series(20, 0), "B_TRAIN.ts": series(20, 0), "A_TEST.ts": series(10, 2) },
    "",
    ["DATASET_NOT_FOUND"],
  ],
  ["a training set alone", { "A_TRAIN.ts": series(20, 0) }, "", ["DATASET_NOT_FOUND"]],
];

describe("folders as found", () => {
  let folder: Folder;
  let made = 0;
  before(async () => (folder = await temporaryFolder()));
  after(() => folder.remove());

  const write = async (files: Files): Promise<string> => {
    const name = `set-${made++}`;
    const paths = [];
    for (const [file, content] of Object.entries(files)) paths.push(await folder.file(`${name}/${file}`, content));
    return paths[0]!.slice(0, paths[0]!.indexOf(`/${name}/`) + name.length + 1);
  };

  for (const [what, files, options, outcome] of FOUND)
    it(`${typeof outcome[0] === "number" ? "are read" : "are refused"}: ${what}`, async () => {
      const path = await write(files);
      const loading = loadDataset(options === "" ? path : `${path}?${options}`);
      if (typeof outcome[0] === "string") return rejectsCode(loading, outcome[0], outcome[1]);
      const { train, test, notes = [] } = await loading;
      const events = [...new Set(notes.map(({ event }) => event))].filter((event) => event !== "dialect").join();
      assert.deepEqual([train.exampleCount, test.exampleCount, events], outcome);
    });

  it("have the training file's classes, by name, where a test file of series lists them in another order", async () => {
    const path = await write({ "A_TRAIN.ts": series(20, 0), "A_TEST.ts": series(10, 2, "b a") });
    const { train, test } = await loadDataset(path);
    assert.deepEqual(train.classNames, ["a", "b"]);
    assert.deepEqual(test.classNames, ["a", "b"]);
    assert.deepEqual([...test.labels], [...train.labels.subarray(0, 10)]);
  });
});
