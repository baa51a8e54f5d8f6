import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { after, before, describe, it } from "mocha";
import { MAX_DATA_VALUES, readDataFile } from "../../learning/data-file.ts";
import { loadDataset } from "../../learning/dataset.ts";
import { parseIdx } from "../../learning/formats/idx.ts";
import { describeDataset } from "../../learning/examples.ts";
import type { Dataset } from "../../learning/examples.ts";
import { partitionDirichlet, partitionIid } from "../../learning/partition.ts";
import { seededStream } from "../../learning/seeded-stream.ts";
import { growingFloats } from "../../learning/tables/growing.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { rejectsCode, throwsCode } from "../support/errors.ts";

function idx(shape: readonly number[], values: readonly number[], magic = [0, 0, 8, shape.length]): Uint8Array {
  const sizes = shape.flatMap((side) => [side >>> 24, (side >>> 16) & 255, (side >>> 8) & 255, side & 255]);
  return Uint8Array.of(...magic, ...sizes, ...values);
}

/** Rows as text, to compare data sets without regard to order. */
function rowsOf(data: Dataset): string[] {
  const width = data.features.length / data.exampleCount;
  return Array.from(
    { length: data.exampleCount },
    (_, i) => `${data.labels[i]}:${data.features.subarray(i * width, (i + 1) * width).join()}`,
  );
}

describe("data sets", () => {
  let folder: string;
  let digits: Dataset;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "verisum-data-"));
    digits = (await loadDataset("digits")).train;
  });
  after(() => rm(folder, { recursive: true }));

  const file = async (name: string, content: string | Uint8Array): Promise<string> => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };

  describe("digits", () => {
    it("have the documented split, shape and scaling", async () => {
      const { train, test } = await loadDataset("digits");
      assert.deepEqual([train.exampleCount, test.exampleCount, train.classCount], [1437, 360, 10]);
      assert.deepEqual(describeDataset(train).histogram, [136, 154, 151, 135, 143, 143, 151, 153, 138, 133]);
      const mean = train.features.reduce((a, b) => a + b, 0) / train.features.length;
      const variance = train.features.reduce((sum, value) => sum + (value - mean) ** 2, 0) / train.features.length;
      assert.ok(Math.abs(mean) < 0.02 && Math.abs(variance - 1) < 0.02);
    });
  });

  describe("partitions", () => {
    for (const [name, deal] of [
      ["IID", (d: Dataset) => partitionIid(d, 5, 7)],
      ["Dirichlet", (d: Dataset) => partitionDirichlet(d, 5, 0.5, 7)],
    ] as const) {
      it(`${name} deal every row once, the same way each time`, () => {
        const shards = deal(digits);
        assert.deepEqual(shards.flatMap(rowsOf).sort(), rowsOf(digits).sort());
        assert.deepEqual(deal(digits), shards);
        assert.ok(shards.every((shard) => shard.exampleCount >= 10));
      });
    }

    it("change with the seed and skew labels more for a smaller alpha", () => {
      const skew = (alpha: number): number => {
        const shards = partitionDirichlet(digits, 5, alpha, 3);
        return (
          shards.reduce((sum, shard) => sum + Math.max(...describeDataset(shard).histogram) / shard.exampleCount, 0) / 5
        );
      };
      assert.notDeepEqual(partitionDirichlet(digits, 5, 0.5, 1)[0], partitionDirichlet(digits, 5, 0.5, 2)[0]);
      assert.ok(skew(0.1) > skew(1) && skew(1) > skew(1000));
    });

    it("refuse more clients than the rows allow, and senseless alphas", () => {
      throwsCode(() => partitionIid(digits, 200, 1), "DATASET_PARTITION_IMPOSSIBLE");
      throwsCode(() => partitionDirichlet(digits, 140, 0.01, 1), "DATASET_PARTITION_IMPOSSIBLE");
      for (const alpha of [0, -1, NaN, Infinity])
        throwsCode(() => partitionDirichlet(digits, 2, alpha, 1), "DATASET_SPEC_INVALID");
    });

    it("draw gamma variables with the right mean", () => {
      for (const shape of [0.1, 0.5, 1, 4]) {
        const stream = seededStream("gamma", 1);
        const mean =
          Array.from({ length: 20_000 }, () => Math.exp(stream.logGamma(shape))).reduce((a, b) => a + b) / 20_000;
        assert.ok(Math.abs(mean - shape) < 5 * Math.sqrt(shape / 20_000), `shape ${shape}: ${mean}`);
      }
    });
  });

  describe("specifications", () => {
    it("name a shard in one string", async () => {
      const { train, test } = await loadDataset("digits?client=2&clients=5&alpha=0.5&seed=7");
      assert.deepEqual(train, partitionDirichlet(digits, 5, 0.5, 7)[2]);
      assert.equal(test.exampleCount, 360);
      assert.deepEqual((await loadDataset("digits?client=0&clients=3&seed=1")).train, partitionIid(digits, 3, 1)[0]);
    });

    it("bound the rows of a shard and of the test data, and draw equal rows for equal specifications", async () => {
      const shard = partitionDirichlet(digits, 5, 0.5, 7)[2]!;
      const spec = "digits?client=2&clients=5&alpha=0.5&seed=7&samples=60&testSamples=30";
      const { train, test } = await loadDataset(spec);
      assert.deepEqual([train.exampleCount, test.exampleCount], [60, 30]);
      assert.equal(new Set([...rowsOf(train), ...rowsOf(shard)]).size, new Set(rowsOf(shard)).size);
      assert.ok(
        describeDataset(train).histogram.every(
          (count, label) => count > 0 || describeDataset(shard).histogram[label]! < 20,
        ),
        "rows come from all of the shard",
      );
      assert.deepEqual(await loadDataset(spec), {
        train,
        test,
        split: "the set's own, every fifth image for testing",
        notes: [],
      });
      assert.equal((await loadDataset("digits?samples=100000")).train.exampleCount, digits.exampleCount);
    });

    for (const spec of [
      "digits?samples=0",
      "digits?testSamples=1.5",
      "digits?samples=",
      "",
      "?seed=1",
      "digits?client=5&clients=5&seed=1",
      "digits?client=-1&clients=5&seed=1",
      "digits?client=1",
      "digits?clients=5&client=1",
      "digits?seed=1",
      "digits?color=red",
      "digits?seed",
      "digits?seed=",
      "digits?seed=1&seed=2",
      "digits?client=0.5&clients=2&seed=1",
      "digits?client=0&clients=2&seed=x",
      "digits?mean=1",
      "digits?client=0&clients=2&seed=1&alpha=0",
    ]) {
      it(`are refused: "${spec}"`, () => rejectsCode(loadDataset(spec), "DATASET_SPEC_INVALID"));
    }

    it("say that a pipe or a device, which may have no end, is no file", async function () {
      if (process.platform === "win32") this.skip();
      const pipe = join(folder, "pipe.csv");
      execFileSync("sh", ["-c", 'mkfifo "$1"', "sh", pipe]);
      const link = join(folder, "endless.csv");
      await symlink("/dev/zero", link);
      for (const path of [pipe, link]) {
        await rejectsCode(loadDataset(path), "DATASET_MALFORMED");
        await rejectsCode(readDataFile(path), "DATASET_MALFORMED");
      }
    });

    it("say that a path does not exist", () =>
      rejectsCode(loadDataset(join(folder, "nowhere.csv")), "DATASET_NOT_FOUND"));
  });

  describe("CSV", () => {
    it("says how many rows have been read", async () => {
      const path = await file("many.csv", `x,label\n${"1,0\n2,1\n".repeat(110_000)}`);
      const said: number[] = [];
      const { train } = await loadDataset(`${path}?samples=10`, undefined, (rows) => said.push(rows));
      assert.equal(train.exampleCount, 10);
      assert.ok(said.length >= 1);
      assert.ok(said[0]! >= 100_000 && said.at(-1)! <= 220_000, said.join());
    });

    it("takes a fifth of each class for testing", async () => {
      const { train, test } = await loadDataset(
        `${await file("ten.csv", Array.from({ length: 10 }, (_, i) => `${i},${i % 2}`).join("\n"))}?label=last`,
      );
      assert.deepEqual([[...test.labels].sort(), train.exampleCount], [[0, 1], 8]);
    });

    it("scales by column and takes the number of classes, names of files in any capitals", async () => {
      const path = await file("SCALED.CSV", "a,b,label\n1,2,3\n4,5,0\n1,2,3\n4,5,0\n");
      const { train, test } = await loadDataset(`${path}?mean=0,5&deviation=1,3&classes=5`);
      assert.deepEqual(
        [rowsOf(train).sort(), rowsOf(test).sort(), train.classCount],
        [["0:4,0", "3:1,-1"], ["0:4,0", "3:1,-1"], 5],
      );
    });

    it("reads a folder's test file by the names of its training file, whatever order it has", async () => {
      await mkdir(join(folder, "parts"));
      await file("parts/train.csv", "a,b,label,x\n1,2,0,9\n3,4,1,9\n");
      const spec = `${join(folder, "parts")}?drop=x`;
      await rejectsCode(loadDataset(spec), "DATASET_NOT_FOUND");
      await file("parts/test.csv", "label,x,b,a\n2,9,20,10\n");
      const { train, test } = await loadDataset(spec);
      assert.deepEqual([rowsOf(train), rowsOf(test), train.classCount], [["0:1,2", "1:3,4"], ["2:10,20"], 3]);
      await rejectsCode(loadDataset(`${join(folder, "parts")}?group=x`), "DATASET_MALFORMED", { value: "9" });
      for (const option of ["time=x", "test=0.5", "splitSeed=2"])
        await rejectsCode(loadDataset(`${join(folder, "parts")}?${option}`), "DATASET_SPEC_INVALID");
      await file("parts/test.csv", "label,x,b\n2,9,20\n");
      await rejectsCode(loadDataset(spec), "DATASET_COLUMN_ABSENT");
    });

    it("is split by seed, share, group and time as the argument says", async () => {
      const rows = Array.from(
        { length: 40 },
        (_, i) => `${i},${i % 2},p${i % 8},2024-01-${String(1 + (i % 20)).padStart(2, "0")}`,
      );
      const path = await file("splits.csv", `a,label,patient,day\n${rows.join("\n")}\n`);
      const testOf = async (options: string): Promise<number[]> => [
        ...(await loadDataset(`${path}?${options}`)).test.features,
      ];
      assert.equal((await testOf("drop=patient,day")).length, 8);
      assert.equal((await testOf("drop=patient,day&test=0.5")).length, 20);
      assert.notDeepEqual(await testOf("drop=patient,day&splitSeed=2"), await testOf("drop=patient,day"));
      const patients = new Set((await testOf("drop=day&group=patient")).map((i) => i % 8));
      assert.deepEqual([patients.size, (await testOf("drop=day&group=patient")).length], [2, 10]);
      assert.ok((await testOf("drop=patient&time=day")).every((i) => i % 20 >= 16));
      for (const options of ["test=0", "test=1", "test=x", "splitSeed=-1", "group=patient&time=day"])
        await rejectsCode(loadDataset(`${path}?${options}`), "DATASET_SPEC_INVALID");
    });

    it("stops unzipping at the limit", () =>
      rejectsCode(
        file("bomb.csv.gz", gzipSync(new Uint8Array(1 << 20))).then((path) => readDataFile(path, 1000)),
        "DATASET_TOO_LARGE",
      ));

    it("stops at the largest number of values, before it has room for them", () => {
      const row = { length: MAX_DATA_VALUES } as Float32Array;
      const values = growingFloats("much.csv");
      values.push(Float32Array.of(1));
      throwsCode(() => values.push(row), "DATASET_TOO_LARGE", { path: "much.csv" });
    });
  });

  describe("IDX", () => {
    it("reads a folder with plain and gzipped files", async () => {
      await file("train-images-idx3-ubyte.gz", gzipSync(idx([3, 1, 2], [0, 255, 0, 51, 102, 153])));
      await file("train-labels-idx1-ubyte", idx([3], [0, 2, 1]));
      await file("t10k-images-idx3-ubyte", idx([1, 1, 2], [255, 255]));
      await file("t10k-labels-idx1-ubyte", idx([1], [4]));
      const { train, test } = await loadDataset(`${folder}?mean=0&deviation=1`);
      assert.deepEqual(
        [...train.features],
        [0, 1, 0, 51, 102, 153].map((value, i) => Math.fround(i < 2 ? value : value / 255)),
      );
      assert.deepEqual(
        [train.featureShape, train.classCount, test.classCount, [...train.labels]],
        [[1, 2, 1], 5, 5, [0, 2, 1]],
      );
      assert.equal((await loadDataset(join(folder, "train-images-idx3-ubyte.gz"))).train.exampleCount, 2);
      await rejectsCode(loadDataset(`${folder}?classes=2`), "DATASET_LABEL_INVALID");
      await file("train-labels-idx1-ubyte", idx([2], [0, 2]));
      await rejectsCode(loadDataset(folder), "DATASET_MALFORMED");
      await file("train-images-idx3-ubyte.gz", gzipSync(idx([3, 1, 2], [0, 255, 0, 51, 102, 153])).subarray(0, 20));
      await rejectsCode(loadDataset(folder), "DATASET_MALFORMED");
    });

    for (const [name, bytes, code] of [
      ["no bytes", new Uint8Array(0), "DATASET_EMPTY"],
      ["three bytes", Uint8Array.of(0, 0, 8), "DATASET_MALFORMED"],
      ["another magic number", idx([1], [1], [1, 0, 8, 1]), "DATASET_MALFORMED"],
      ["another type", idx([1], [1], [0, 0, 0x0d, 1]), "DATASET_MALFORMED"],
      ["no dimensions", idx([], [], [0, 0, 8, 0]), "DATASET_MALFORMED"],
      ["five dimensions", idx([1, 1, 1, 1, 1], [1]), "DATASET_MALFORMED"],
      ["a header cut short", Uint8Array.of(0, 0, 8, 3, 0, 0, 0), "DATASET_MALFORMED"],
      ["missing values", idx([2, 2, 2], [1, 2, 3]), "DATASET_MALFORMED"],
      ["extra values", idx([2], [1, 2, 3]), "DATASET_MALFORMED"],
      ["no samples", idx([0, 28, 28], []), "DATASET_EMPTY"],
      ["a claim of 2^96 values", idx([0xffffffff, 0xffffffff, 0xffffffff], []), "DATASET_TOO_LARGE"],
    ] satisfies [string, Uint8Array, ErrorCode][]) {
      it(`refuses ${name}`, () => throwsCode(() => parseIdx(bytes, "t"), code));
    }

    it("refuses a file of neither kind", async () => {
      await rejectsCode(loadDataset(await file("notes.txt", "hello")), "DATASET_MALFORMED");
    });
  });
});
