/** Federated statistics without a federation: count, write digits, add, read, compare with the pooled table. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { after, before, describe, it } from "mocha";
import type { TaskReader } from "../../chain/task-chain.ts";
import { countData } from "../../learning/statistics/count-data.ts";
import { layoutOf, parseStatistics, readDigits, writeDigits } from "../../learning/statistics/statistics-model.ts";
import type { StatisticsModel } from "../../learning/statistics/statistics-model.ts";
import { summaryOf } from "../../learning/statistics/summary.ts";
import { assertRunnable, parametersOf, parseSpecification } from "../../task/create-task.ts";
import { TASK_FILE, taskFiles } from "../../task/document.ts";
import { openTask } from "../../task/open-task.ts";
import { statisticsIn } from "../../task/statistics.ts";
import type { ErrorCode, ErrorDetails } from "../../protocol/errors.ts";
import type { PublishedFiles } from "../../protocol/ports.ts";
import { parametersHash } from "../../protocol/task.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import { rejectsCode, throwsCode } from "../support/errors.ts";
import { check } from "../support/properties.ts";
import { POOLED_WARDS, STATISTICS_MODEL, STATISTICS_TASK, WARDS } from "../support/statistics-task.ts";
import { word } from "../support/random.ts";
import { temporaryFolder } from "../support/tables.ts";
import type { Folder } from "../support/tables.ts";

const MODEL = parseStatistics(STATISTICS_MODEL);

function sumOf(vectors: readonly Float32Array[]): Int32Array {
  return Int32Array.from(vectors[0]!, (_, i) => vectors.reduce((sum, vector) => sum + vector[i]!, 0));
}

describe("federated statistics", () => {
  let folder: Folder;
  before(async () => (folder = await temporaryFolder()));
  after(() => folder.remove());

  const counted = async (text: string, model: StatisticsModel = MODEL, name = "ward.csv"): Promise<Float32Array> =>
    countData(`${await folder.file(name, text)}?na=-999`, model);

  it("of three tables are those of all their rows together", async () => {
    const vectors = [];
    for (const ward of WARDS) vectors.push(await counted(ward));
    const pooled = POOLED_WARDS;
    const all = summaryOf(MODEL, Int32Array.from(await counted(pooled)), { clients: 1 });
    const summed = summaryOf(MODEL, sumOf(vectors), { clients: 3 });
    assert.deepEqual(summed, { ...all, clients: 3 });
    const [age, sex, admitted] = summed.columns;
    // By hand: ages 40, 50, 61.5, 130 (cut to 120), 20, 33.25.
    assert.deepEqual([summed.rows, age!.present, age!.outside], [7, 6, 1]);
    const ages = [40, 50, 61.5, 120, 20, 33.25];
    const mean = ages.reduce((sum, value) => sum + value, 0) / 6;
    const stdDev = Math.sqrt(ages.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 6);
    const rounding = 120 * 2 ** -(MODEL.valueBits + 1);
    assert.ok(Math.abs(age!.mean! - mean) <= rounding, `${age!.mean} ${mean}`);
    assert.ok(Math.abs(age!.stdDev! - stdDev) <= 4 * rounding * (120 / stdDev), `${age!.stdDev} ${stdDev}`);
    assert.deepEqual(
      age!.counts.map(({ count }) => count),
      [1, 3, 1, 1],
    );
    assert.deepEqual(sex!.counts, [
      { name: "F", count: 4 },
      { name: "M", count: 2 },
    ]);
    assert.deepEqual([admitted!.present, admitted!.outside], [7, 0]);
    assert.deepEqual(summed.countError, { rounding: 0, noiseStdDev: 0 });
  });

  it("have digits that add up exactly, whatever the numbers and however many clients", () => {
    const vector = layoutOf(MODEL);
    const { sum } = vector.columns[0]!.range!;
    check(fc.array(fc.nat({ max: sum.most }), { minLength: 1, maxLength: 200 }), (numbers) => {
      const sums = new Int32Array(vector.length);
      for (const number of numbers) {
        const digits = new Float32Array(vector.length);
        writeDigits(digits, sum, number, MODEL.digitBits);
        assert.ok(digits.every((digit) => Number.isInteger(digit) && digit >= 0 && digit < 2 ** MODEL.digitBits));
        digits.forEach((digit, i) => (sums[i] = sums[i]! + digit));
      }
      assert.equal(
        readDigits(sums, sum, MODEL.digitBits),
        numbers.reduce((total, number) => total + number, 0),
      );
    });
  });

  it("never exceed the norm that the layout states", () => {
    const { rows, columns, length, largestNorm } = layoutOf(MODEL);
    const places = [
      rows,
      ...columns.flatMap(({ present, range, counts }) => [present, ...Object.values(range ?? {}), ...counts]),
    ];
    assert.equal(
      places.reduce((sum, { digits }) => sum + digits, 0),
      length,
    );
    check(fc.array(fc.nat({ max: 2 ** 31 - 1 }), { minLength: places.length, maxLength: places.length }), (numbers) => {
      const vector = new Float32Array(length);
      places.forEach((place, i) => writeDigits(vector, place, numbers[i]! % (place.most + 1), MODEL.digitBits));
      assert.ok(Math.hypot(...vector) <= largestNorm);
    });
  });

  it("follow from the mean that the model keeps, exactly, for every number of clients", () => {
    const { length } = layoutOf(MODEL);
    const limit = 2 ** MODEL.digitBits - 1;
    check(fc.tuple(fc.integer({ min: 2, max: 1000 }), fc.nat()), ([clients, seed]) => {
      const sums = Int32Array.from({ length }, (_, i) => (seed + i * 7919) % (clients * limit + 1));
      const weights = sums.map((sum) => Math.round((sum * 2 ** 20) / clients));
      const found = statisticsIn(
        { model: STATISTICS_MODEL, training: STATISTICS_TASK.document.training },
        { weights },
        { clients, totalWeight: clients },
      );
      assert.deepEqual(found, summaryOf(MODEL, sums, { clients }));
    });
    throwsCode(
      () =>
        statisticsIn(
          { model: STATISTICS_MODEL, training: STATISTICS_TASK.document.training },
          { weights: new Int32Array(length) },
          { clients: 3, totalWeight: 4 },
        ),
      "PARAMETERS_INVALID",
    );
  });

  it("with one digit for each number are within the stated rounding", async () => {
    const model = parseStatistics({ ...STATISTICS_MODEL, digits: "one" });
    const vectors = [];
    for (const [i, ward] of WARDS.entries()) vectors.push(await counted(ward, model, `one${i}.csv`));
    assert.equal(
      layoutOf(model).length,
      layoutOf(model).tensors.reduce((sum, { shape }) => sum + shape[0]!, 0),
    );
    const { rows, countError, columns } = summaryOf(model, sumOf(vectors), { clients: 3 });
    assert.ok(countError.rounding > 0 && Math.abs(rows - 7) <= countError.rounding, `${rows} ${countError.rounding}`);
    for (const { count } of columns[1]!.counts) assert.ok(Number.isFinite(count));
    const noisy = summaryOf(model, sumOf(vectors), { clients: 3, noiseStdDev: 5 }).countError.noiseStdDev;
    assert.ok(Math.abs(noisy - (5 * MODEL.maxRows) / 63) < 1e-9);
  });

  it("with one digit for each number state errors of mean and deviation that hold for every table", () => {
    const model = parseStatistics({ ...STATISTICS_MODEL, columns: [STATISTICS_MODEL.columns[0]!], digits: "one" });
    const places = layoutOf(model);
    const age = fc.double({ min: 0, max: 120, noNaN: true });
    check(fc.array(fc.array(age, { minLength: 20, maxLength: 300 }), { minLength: 3, maxLength: 6 }), (wards) => {
      const one = 2 ** model.valueBits;
      const vectors = wards.map((ages) => {
        const vector = new Float32Array(places.length);
        const { present, range } = places.columns[0]!;
        const shares = ages.map((value) => value / 120);
        writeDigits(vector, present, ages.length, model.digitBits);
        const sum = (of: (share: number) => number): number =>
          shares.reduce((total, share) => total + Math.round(of(share) * one), 0);
        writeDigits(
          vector,
          range!.sum,
          sum((share) => share),
          model.digitBits,
        );
        writeDigits(
          vector,
          range!.squares,
          sum((share) => share * share),
          model.digitBits,
        );
        return vector;
      });
      const [found] = summaryOf(model, sumOf(vectors), { clients: wards.length }).columns;
      const all = wards.flat();
      const mean = all.reduce((total, value) => total + value, 0) / all.length;
      const stdDev = Math.sqrt(all.reduce((total, value) => total + (value - mean) ** 2, 0) / all.length);
      const { meanError, stdDevError } = found!;
      // With so few rows that rounding may be all of the count, nothing is stated.
      if (!meanError || !stdDevError) return;
      assert.ok(Math.abs(found!.mean! - mean) <= meanError.rounding + 1e-9);
      assert.ok(Math.abs(found!.stdDev! - stdDev) <= stdDevError.rounding + 1e-9);
    });
  });

  for (const [what, text, code, details] of [
    [
      "a word among numbers",
      "age,sex,admitted\nold,F,2024-01-01\n",
      "DATASET_VALUE_INVALID",
      { row: 2, column: "age" },
    ],
    ["an unknown category", "age,sex,admitted\n4,X,2024-01-01\n", "DATASET_CATEGORY_UNKNOWN", { row: 2, value: "X" }],
    ["no such column", "age,admitted\n4,2024-01-01\n", "DATASET_COLUMN_ABSENT", { column: "sex" }],
    ["more rows than are allowed", `age,sex,admitted\n${"4,F,2024-01-01\n".repeat(1001)}`, "DATASET_TOO_LARGE"],
  ] as readonly (readonly [string, string, ErrorCode, ErrorDetails?])[])
    it(`are refused of ${what}`, () => rejectsCode(counted(text, MODEL, "refused.csv"), code, details));

  it("are of whole tables", async () => {
    const path = await folder.file("whole.csv", WARDS[0]);
    await rejectsCode(countData(`${path}?samples=2`, MODEL), "DATASET_SPEC_INVALID");
    await rejectsCode(countData("digits", MODEL), "DATASET_SPEC_INVALID");
  });

  it("are asked for by a task that keeps them exact and nobody's alone", () => {
    const task = (change: (task: typeof STATISTICS_TASK) => unknown): unknown =>
      change(structuredClone(STATISTICS_TASK));
    assertRunnable(parseSpecification(STATISTICS_TASK));
    const { document, clients } = STATISTICS_TASK;
    for (const [, wrong] of [
      ["one honest client", task((t) => ({ ...t, clients: { ...clients, min: 2, minHonest: 1 } }))],
      ["two rounds", task((t) => ({ ...t, maxRounds: 2 }))],
      [
        "a clip norm that cuts",
        task((t) => ({ ...t, document: { ...document, quantisation: { stepBits: 0, clipSteps: 50 } } })),
      ],
      [
        "steps of a half",
        task((t) => ({ ...t, document: { ...document, quantisation: { ...document.quantisation, stepBits: 1 } } })),
      ],
      [
        "digits above the coordinates",
        task((t) => ({
          ...t,
          document: {
            ...document,
            model: { ...document.model, digitBits: 8 },
            quantisation: { stepBits: 0, clipSteps: 100_000 },
          },
        })),
      ],
      [
        "momentum",
        task((t) => ({
          ...t,
          document: { ...document, server: { ...document.server, momentum: { numerator: 1, denominatorBits: 1 } } },
        })),
      ],
      ["cells", task((t) => ({ ...t, document: { ...document, cells: { group: `0x${"ab".repeat(20)}` } } }))],
    ] as const)
      throwsCode(() => assertRunnable(parseSpecification(wrong)), "TASK_SPECIFICATION_INVALID");
    for (const model of [
      { ...STATISTICS_MODEL, columns: [] },
      { ...STATISTICS_MODEL, columns: [STATISTICS_MODEL.columns[0], STATISTICS_MODEL.columns[0]] },
      { ...STATISTICS_MODEL, columns: [{ name: "a", type: "number", from: 1, to: 1 }] },
      { ...STATISTICS_MODEL, columns: [{ name: "a", type: "number", from: -1.7e308, to: 1.7e308 }] },
      { ...STATISTICS_MODEL, maxRows: 2 ** 32, valueBits: 30 },
    ])
      throwsCode(() => parseStatistics(model), "MODEL_DESCRIPTION_INVALID");
  });

  it("are not opened of a task whose operator did not ask for that", async () => {
    const opened = async (maxRounds: number, other: Partial<TaskParameters> = {}): Promise<unknown> => {
      const specification = parseSpecification({ ...STATISTICS_TASK, maxRounds });
      const digests = {
        taskCid: word("task"),
        genesisCid: word("genesis"),
        genesisDigest: word("model"),
        keysHash: word("keys"),
      };
      const parameters = { ...parametersOf(specification, layoutOf(MODEL).length, digests), ...other };
      const document = { ...specification.document, version: 1, keysCid: word("keys") } as const;
      const chain = {
        parameters: async () => parameters,
        parametersHash: async () => parametersHash(parameters),
        requireReleasedCode: async () => undefined,
      };
      const store = { getFile: async () => taskFiles(document)[TASK_FILE]! };
      return openTask(chain as unknown as TaskReader, store as unknown as PublishedFiles);
    };
    await opened(1);
    await rejectsCode(opened(2), "TASK_DOCUMENT_INVALID");
    await rejectsCode(opened(1, { uniformWeights: false }), "TASK_DOCUMENT_INVALID");
  });
});
