/** The built-in data set; its origin, split and scaling are described in data/digits/README.md. */
import { fileURLToPath } from "node:url";
import { selectExamples } from "../examples.ts";
import { openCsv } from "../tables/csv-table.ts";
import { encodeTable } from "../tables/encode.ts";
import { planFor } from "../tables/plan.ts";
import { textFile } from "../tables/text.ts";
import { dataFormat } from "./format.ts";

const MAX_PIXEL = 16;
/** Of pixels divided by their maximum. */
const SCALING = { mean: 0.305, stdDev: 0.376 };
/** The set's own split, in which every fifth image is for testing. */
const TEST_PERIOD = 5;

/** 1,437 training and 360 test images of 8×8 pixels, ten classes; split, scaling and classes are fixed. */
export const digits = dataFormat({
  name: "digits",
  scheme: "digits",
  sources: "digits, which is built in",
  options: {},
  divisor: MAX_PIXEL,
  scaling: SCALING,
  recognises: ({ path }) => path === "digits",
  load: async () => {
    const path = fileURLToPath(new URL("../../data/digits/digits.csv.gz", import.meta.url));
    const table = await openCsv(textFile(path, "utf-8"), { delimiter: ",", header: false });
    const plan = planFor(table, {
      label: "last",
      mean: [SCALING.mean * MAX_PIXEL],
      stdDev: [SCALING.stdDev * MAX_PIXEL],
      classes: 10,
    });
    const { data } = await encodeTable(table, plan);
    const isTest = (i: number): boolean => i % TEST_PERIOD === 0;
    const all = Array.from({ length: data.exampleCount }, (_, i) => i);
    return {
      train: selectExamples(
        data,
        all.filter((i) => !isTest(i)),
      ),
      test: selectExamples(data, all.filter(isTest)),
      split: "the set's own, every fifth image for testing",
    };
  },
});
