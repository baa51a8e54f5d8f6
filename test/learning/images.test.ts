import assert from "node:assert/strict";
import { join } from "node:path";
import { encode } from "fast-png";
import jpeg from "jpeg-js";
import { after, before, describe, it } from "mocha";
import { loadDataset } from "../../learning/dataset.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { rejectsCode } from "../support/errors.ts";
import { temporaryFolder } from "../support/tables.ts";
import type { Folder } from "../support/tables.ts";

const png = (data: readonly number[], channels = 1, depth: 8 | 16 = 8): Uint8Array =>
  encode({
    width: 2,
    height: data.length / channels / 2,
    data: depth === 8 ? Uint8Array.from(data) : Uint16Array.from(data),
    channels,
    depth,
  });
const GREY = png([0, 51, 102, 255]);
const RED = png([255, 0, 0, 255, 0, 0], 3);

describe("a folder of images", () => {
  let folder: Folder;
  before(async () => (folder = await temporaryFolder()));
  after(() => folder.remove());

  /** Files by their paths in a folder of that name. @returns its path */
  const set = async (name: string, files: Readonly<Record<string, Uint8Array>>): Promise<string> => {
    let root = "";
    for (const [path, bytes] of Object.entries(files))
      root = (await folder.file(join(name, path), bytes)).slice(0, -path.length - 1);
    return root;
  };

  it("with training and test data has classes called as its folders", async () => {
    const path = await set("split", {
      "train/dog/2.png": GREY,
      "train/dog/1.png": png([255, 255, 255, 255]),
      "train/cat/1.PNG": png([0, 0, 0, 0]),
      "train/.hidden": Uint8Array.of(1),
      "test/cat/1.png": GREY,
    });
    const { train, test } = await loadDataset(`${path}?classes=cat,dog&size=2x2`);
    assert.deepEqual(train.featureShape, [2, 2, 1]);
    assert.deepEqual([[...train.labels], [...test.labels], train.classNames], [[0, 1, 1], [0], ["cat", "dog"]]);
    assert.deepEqual(
      [...train.features.subarray(8)],
      [0, 51, 102, 255].map((value) => Math.fround(value / 255)),
    );
    await rejectsCode(loadDataset(path), "DATASET_CLASSES_UNSTATED", { value: "cat" });
    await rejectsCode(loadDataset(`${path}?classes=cow,cat`), "DATASET_LABEL_INVALID", { value: "dog" });
  });

  it("without them is split by class, and folders called by numbers are those classes", async () => {
    const files = Array.from({ length: 10 }, (_, i): [string, Uint8Array] => [`${i % 2}/${i}.png`, GREY]);
    const path = await set("whole", Object.fromEntries(files));
    const { train, test } = await loadDataset(`images:${path}?classes=3&mean=1&deviation=2`);
    assert.deepEqual([train.exampleCount, test.exampleCount, train.classCount], [8, 2, 3]);
    assert.equal(train.features[0], -0.5);
    assert.equal((await loadDataset(`images:${path}`)).train.classCount, 2);
    await rejectsCode(loadDataset(path), "DATASET_NOT_FOUND");
  });

  it("is grey or colour by the stated weights, of 8 or 16 bits", async () => {
    const both = (bytes: Uint8Array): Promise<string> =>
      set("colour", { "train/0/1.png": bytes, "test/1/1.png": bytes });
    const values = async (bytes: Uint8Array, options = ""): Promise<readonly number[]> => [
      ...(await loadDataset((await both(bytes)) + options)).train.features,
    ];
    assert.deepEqual(await values(RED), [1, 0, 0, 1, 0, 0]);
    assert.deepEqual(await values(RED, "?channels=1"), Array(2).fill(Math.fround(0.299)));
    assert.deepEqual(await values(png([255, 0]), "?channels=3"), [1, 1, 1, 0, 0, 0]);
    assert.deepEqual(await values(png([65_535, 0], 1, 16)), [1, 0]);
    assert.deepEqual(await values(png([255, 255, 0, 255], 2)), [1, 0]);
    const palette = encode({
      width: 2,
      height: 1,
      data: Uint8Array.of(1, 0),
      depth: 8,
      channels: 1,
      palette: [
        [0, 0, 0],
        [255, 0, 0],
      ],
    });
    assert.deepEqual(await values(palette), [1, 0, 0, 0, 0, 0]);
  });

  it("is brought to a size by the areas that its new pixels cover", async () => {
    const wide = encode({ width: 4, height: 2, data: Uint8Array.of(0, 51, 102, 153, 204, 255, 0, 51), channels: 1 });
    const path = await set("sizes", { "train/0/1.png": wide, "test/1/1.png": GREY });
    const values = async (options: string): Promise<readonly number[]> =>
      [...(await loadDataset(`${path}?${options}`)).train.features].map((value) => Math.round(value * 255 * 100) / 100);
    assert.deepEqual(await values("size=1x2&resize=stretch"), [127.5, 76.5]);
    assert.deepEqual(await values("size=1x1&resize=crop"), [(51 + 102 + 255 + 0) / 4]);
    assert.deepEqual(await values("size=2x2&resize=crop"), [51, 102, 255, 0]);
    assert.deepEqual(await values("size=2x2&resize=pad"), [12.75, 63.75, 114.75, 12.75]);
    assert.deepEqual(await values("size=4x4&resize=pad"), [0, 0, 0, 0, 0, 51, 102, 153, 204, 255, 0, 51, 0, 0, 0, 0]);
    await rejectsCode(loadDataset(`${path}?resize=crop`), "DATASET_SPEC_INVALID");
    await rejectsCode(loadDataset(`${path}?size=2x2`), "DATASET_MALFORMED");
  });

  it("may hold JPEG images", async () => {
    const pixels = (...colour: number[]): Uint8Array => Uint8Array.from({ length: 64 * 4 }, (_, i) => colour[i % 4]!);
    const image = (data: Uint8Array): Uint8Array => jpeg.encode({ width: 8, height: 8, data }, 100).data;
    const path = await set("jpeg", {
      "train/0/1.jpg": image(pixels(128, 128, 128, 255)),
      "train/1/1.jpeg": image(pixels(255, 0, 0, 255)),
      "test/1/1.jpg": image(pixels(0, 0, 255, 255)),
    });
    await rejectsCode(loadDataset(path), "DATASET_MALFORMED");
    const { train } = await loadDataset(`${path}?channels=3`);
    assert.deepEqual(train.featureShape, [8, 8, 3]);
    const near = (actual: number, expected: number): void => assert.ok(Math.abs(actual - expected) < 0.02, `${actual}`);
    [128 / 255, 128 / 255, 128 / 255].forEach((value, i) => near(train.features[i]!, value));
    [1, 0, 0].forEach((value, i) => near(train.features[192 + i]!, value));
  });

  for (const [what, file, bytes, code, options] of [
    ["an image of another size", "1.png", png([1, 2]), "DATASET_MALFORMED", ""],
    ["an image of another size than asked", "1.png", GREY, "DATASET_MALFORMED", "?size=4x4"],
    ["colour among grey", "1.png", png([1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2], 3), "DATASET_MALFORMED", ""],
    ["transparent pixels", "1.png", png([1, 255, 2, 255, 3, 255, 4, 254], 2), "DATASET_MALFORMED", ""],
    ["an image that is cut off", "1.png", GREY.subarray(0, GREY.length - 20), "DATASET_MALFORMED", ""],
    ["a changed byte", "1.png", GREY.map((byte, i) => (i === 45 ? byte ^ 1 : byte)), "DATASET_MALFORMED", ""],
    ["an image of too many pixels", "1.png", GREY.map((byte, i) => (i === 16 ? 9 : byte)), "DATASET_TOO_LARGE", ""],
    ["a file that is no image", "1.png", new TextEncoder().encode("text"), "DATASET_MALFORMED", ""],
    ["a cut JPEG", "1.jpg", Uint8Array.of(0xff, 0xd8, 0xff, 0xe0), "DATASET_MALFORMED", ""],
    ["an empty file", "1.png", new Uint8Array(), "DATASET_EMPTY", ""],
    ["another file", "notes.txt", GREY, "DATASET_MALFORMED", ""],
    ["a size without a height", "1.png", GREY, "DATASET_SPEC_INVALID", "?size=28"],
  ] satisfies [string, string, Uint8Array, ErrorCode, string][])
    it(`is refused for ${what}`, async () => {
      const name = what.replaceAll(" ", "-");
      const path = await set(name, { "train/0/0.png": GREY, [`train/1/${file}`]: bytes, "test/0/1.png": GREY });
      await rejectsCode(loadDataset(path + options), code);
    });

  it("is refused without a class, without an image, and with files in place of classes", async () => {
    await rejectsCode(loadDataset(`images:${await set("flat", { "1.png": GREY })}`), "DATASET_CLASSES_UNSTATED");
    await rejectsCode(loadDataset(`images:${await set("file", { "0": GREY })}`), "DATASET_MALFORMED");
    await rejectsCode(loadDataset(`images:${await set("none", { "0/.keep": GREY })}`), "DATASET_EMPTY");
  });
});
