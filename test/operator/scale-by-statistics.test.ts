import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { scaledBy } from "../../operator/scale-by-statistics.ts";
import { rejectsCode } from "../support/errors.ts";
import { createRecorder } from "../support/round-recorder.ts";
import { temporaryFolder } from "../support/tables.ts";
import type { Folder } from "../support/tables.ts";

const COLUMNS = [
  { name: "age", type: "number" },
  { name: "constructor", type: "number" },
  { name: "same", type: "number" },
  { name: "sex", type: "category" },
  { name: "admitted", type: "date" },
];
const SPECIFICATION = { document: { data: { columns: COLUMNS, scaling: { admitted: { mean: 1, stdDev: 2 } } } } };

describe("a task's scaling by statistics", () => {
  let folder: Folder;
  before(async () => (folder = await temporaryFolder()));
  after(() => folder.remove());

  const scaled = async (columns: readonly unknown[], specification: unknown = SPECIFICATION): Promise<unknown> => {
    const file = await folder.file("statistics.json", JSON.stringify({ clients: 3, rows: 7, columns }));
    return scaledBy(file, specification, createRecorder());
  };

  it("has the figures of number and date columns, to three digits, beside what is there", async () => {
    const found = await scaled([
      { name: "age", mean: 43.2175, stdDev: 12.3456 },
      { name: "constructor", mean: 5, stdDev: 2 },
      { name: "same", mean: 5, stdDev: 0 },
      { name: "sex" },
      { name: "admitted", mean: 9, stdDev: 9 },
      { name: "unknown", mean: 9, stdDev: 9 },
    ]);
    const scaling = {
      admitted: { mean: 1, stdDev: 2 },
      age: { mean: 43.2, stdDev: 12.3 },
      constructor: { mean: 5, stdDev: 2 },
    };
    assert.deepEqual(found, { document: { data: { columns: COLUMNS, scaling } } });
  });

  it("comes with a warning where rounding or noise may be half of a deviation", async () => {
    const age = { name: "age", mean: 43, stdDev: 12 };
    const warned = async (stdDevError: unknown): Promise<number> => {
      const reporter = createRecorder();
      const statistics = { clients: 3, columns: [{ ...age, stdDevError }] };
      await scaledBy(await folder.file("error.json", JSON.stringify(statistics)), SPECIFICATION, reporter);
      return reporter.facts("scaling-uncertain").length;
    };
    assert.equal(await warned({ rounding: 1, noiseStdDev: 2 }), 0);
    assert.equal(await warned({ rounding: 1, noiseStdDev: 3 }), 1);
    assert.equal(await warned(null), 1);
  });

  it("is refused by a file of something else, of other columns, or for a task without tables", async () => {
    const age = { name: "age", mean: 4, stdDev: 1 };
    await rejectsCode(scaled([{ ...age, name: "height" }]), "STATISTICS_UNFIT");
    await rejectsCode(scaled([{ ...age, mean: "4" }]), "STATISTICS_UNFIT");
    await rejectsCode(scaled([age], { document: {} }), "STATISTICS_UNFIT");
    await rejectsCode(scaledBy(await folder.file("x.json", "{"), SPECIFICATION, createRecorder()), "STATISTICS_UNFIT");
  });
});
