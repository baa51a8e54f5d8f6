/** The built-in data set; its origin, split and scaling are described in data/digits/README.md. */
import { fileURLToPath } from "node:url";
import { parseCsv } from "./csv.ts";
import { readDataFile } from "./data-file.ts";
import type { LoadedData } from "./samples.ts";
import { splitEveryFifth } from "./partition.ts";

const MAX_PIXEL = 16;
const MEAN = 0.305;
const DEVIATION = 0.376;

/** 1,437 training and 360 test images of 8×8 pixels, ten classes. */
export async function loadDigits(): Promise<LoadedData> {
  const path = fileURLToPath(new URL("../data/digits/digits.csv.gz", import.meta.url));
  const text = new TextDecoder().decode(await readDataFile(path));
  return splitEveryFifth(
    parseCsv(text, path, { mean: [MEAN * MAX_PIXEL], deviation: [DEVIATION * MAX_PIXEL], classCount: 10 }),
  );
}
