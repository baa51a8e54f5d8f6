/** The built-in data set; its origin, split and scaling are described in data/digits/README.md. */
import { fileURLToPath } from "node:url";
import { readTextFile } from "../data-file.ts";
import { splitEveryFifth } from "../partition.ts";
import { parseCsv } from "./csv.ts";
import { dataFormat } from "./format.ts";

const MAX_PIXEL = 16;
/** Of pixels divided by their maximum. */
const MEAN = 0.305;
const STD_DEV = 0.376;

/** 1,437 training and 360 test images of 8×8 pixels, ten classes; scaling and classes are fixed. */
export const digits = dataFormat({
  name: "digits",
  sources: "digits, which is built in",
  options: {},
  recognises: ({ path }) => path === "digits",
  load: async () => {
    const path = fileURLToPath(new URL("../../data/digits/digits.csv.gz", import.meta.url));
    const scaling = { mean: [MEAN * MAX_PIXEL], stdDev: [STD_DEV * MAX_PIXEL], classCount: 10 };
    return splitEveryFifth(parseCsv(await readTextFile(path), path, scaling));
  },
});
